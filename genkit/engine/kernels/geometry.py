"""The sizes of a transposed convolution."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Geometry:
    """Sizes of a transposed convolution, each as a pair for rows and columns.

    Without padding the output has `full = (small - 1) * stride + kernel` rows. What Keras returns
    starts `crop` rows into it and has `large` rows, with zeros where it reaches past the end.

    Attributes:
        kernel: Size of the kernel.
        stride: Distance in the output between neighbours of the input.
        small: Size of the input.
        large: Size of the output.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    small: tuple[int, int]
    large: tuple[int, int]

    @property
    def full(self) -> tuple[int, int]:
        """Size of the output before it is cropped."""
        rows, columns = (
            (n - 1) * s + k for n, s, k in zip(self.small, self.stride, self.kernel, strict=True)
        )
        return rows, columns

    @property
    def crop(self) -> tuple[int, int]:
        """Rows and columns cut off before the first; of an odd surplus the smaller half."""
        rows, columns = (max(0, (f - n) // 2) for f, n in zip(self.full, self.large, strict=True))
        return rows, columns
