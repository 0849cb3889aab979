"""Event files, which TensorBoard reads; written without TensorFlow.

The form is TFRecord: length, its checksum, the bytes of an ``Event``, their checksum. TensorBoard's
own package has the messages and the writer of records.
"""

from __future__ import annotations

import struct
import time
import wave
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.types_pb2 import DT_STRING
from tensorboard.summary.writer.record_writer import RecordWriter

from genkit.files import sync

_HEADER, _FOOTER = 12, 4  # bytes around a record's own
_MOST_LINES = 64
_NAME = "events.out.tfevents.{:012d}.genkit"  # TensorBoard looks for "tfevents"


class EventFile:
    """The events of one sitting, in a file of their own that is named after its first step.

    TensorBoard reads the files of a folder in order of their names, as one. So that a resumed run
    reads as one, whatever lies after the first step is dropped from the older ones: those steps
    are done again.

    Args:
        folder: for the files of one run; made if it isn't there.
        first_step: how many steps were done before.
    """

    def __init__(self, folder: Path, first_step: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / _NAME.format(first_step)
        older = sorted(folder.glob(_NAME.replace("{:012d}", "[0-9]" * 12)))
        for late in [file for file in older if file >= path]:
            older.remove(late)
            late.unlink()
        if older:
            _cut(older[-1], first_step)
        self._path = path
        self._records = RecordWriter(path.open("wb"))
        self._write(file_version="brain.Event:2")

    def add_scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Add numbers by their tags."""
        scalars = [Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
        self._write(step=step, summary=Summary(value=scalars))

    def add_file(self, step: int, tag: str, path: Path) -> None:
        """Add samples as they stand in their file; what TensorBoard can't show is left out."""
        add = {
            ".png": _image,
            ".webp": _image,
            ".wav": _audio,
            ".txt": _text,
            ".csv": _text,
        }.get(path.suffix)
        if add is not None:
            self._write(step=step, summary=Summary(value=[add(tag, path)]))

    def keep(self) -> None:
        """Have all events on the disk, for a checkpoint that presumes them."""
        if not self._records.closed:
            self._records.flush()
            sync(self._path)

    def close(self) -> None:
        """Write what is left, and let the file go."""
        self._records.close()

    def _write(self, **what: Any) -> None:
        self._records.write(Event(wall_time=time.time(), **what).SerializeToString())


def _image(tag: str, path: Path) -> Any:
    """Return a picture; one that moves as GIF, which TensorBoard passes on to the browser."""
    from PIL import Image

    content = path.read_bytes()
    with Image.open(path) as picture:
        width, height, channels = *picture.size, len(picture.getbands())
        if path.suffix == ".webp":
            out = BytesIO()
            picture.save(out, "GIF", save_all=True, loop=0)
            content = out.getvalue()
    image = Summary.Image(
        width=width, height=height, colorspace=channels, encoded_image_string=content
    )
    return Summary.Value(tag=tag, image=image)


def _audio(tag: str, path: Path) -> Any:
    with wave.open(str(path)) as opened:
        audio = Summary.Audio(
            sample_rate=opened.getframerate(),
            num_channels=opened.getnchannels(),
            length_frames=opened.getnframes(),
            encoded_audio_string=path.read_bytes(),
            content_type="audio/wav",
        )
    return Summary.Value(tag=tag, audio=audio)


def _text(tag: str, path: Path) -> Any:
    """Return lines as TensorBoard's Markdown shows them unchanged: indented by four."""
    lines = path.read_bytes().decode(errors="replace").splitlines()
    text = "\n".join(f"    {line}" for line in lines[:_MOST_LINES])
    return Summary.Value(
        tag=tag,
        metadata=SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="text")),
        tensor=TensorProto(
            dtype=DT_STRING,
            tensor_shape=TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)]),
            string_val=[text.encode()],
        ),
    )


def _cut(path: Path, step: int) -> None:
    """Drop the events after a step, and what a kill has torn."""
    with path.open("r+b") as file:
        kept = 0
        while (event := _next_event(file)) is not None and event.step <= step:
            kept = file.tell()
        file.truncate(kept)


def _next_event(file: BinaryIO) -> Any:
    """Read an event; None at the end, and for what is no whole event."""
    from google.protobuf.message import DecodeError

    header = file.read(_HEADER)
    if len(header) < _HEADER:
        return None
    (length,) = struct.unpack_from("<Q", header)
    if length > Path(file.name).stat().st_size:
        return None
    content, footer = file.read(length), file.read(_FOOTER)
    try:
        return Event.FromString(content) if len(footer) == _FOOTER else None
    except DecodeError:
        return None
