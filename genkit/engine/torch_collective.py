"""PyTorch: sums over workers as kernels that the recording of a step holds."""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import torch
from torch import distributed
from torch.distributed import _functional_collectives as functional

from genkit.engine.collective import Collective

_SIOCGIFADDR, _ADDRESS = 0x8915, slice(20, 24)  # netdevice(7): the question, where its answer is
_PATIENCE = timedelta(days=1)  # whoever stands still is found by the heartbeat


class TorchCollective(Collective):
    """Workers that share a process group: NCCL's where there are GPUs, else Gloo's.

    Args:
        rank: which worker this is.
        size: how many there are.
        exchange: see ``Collective``.
        addresses: ``host:port`` of each worker.
    """

    apart = True

    def __init__(
        self, rank: int, size: int, exchange: Callable[[Any], list[Any]], addresses: list[str]
    ) -> None:
        super().__init__(rank, size, exchange)
        if own := _interface_of(addresses[rank].rpartition(":")[0]):
            os.environ.setdefault("GLOO_SOCKET_IFNAME", own)
        host, _, port = addresses[0].rpartition(":")
        # A store of our own: by an address alone PyTorch looks for torchrun's, where that is.
        store = distributed.TCPStore(host, int(port), size, rank == 0)
        distributed.init_process_group(
            "nccl" if torch.cuda.is_available() else "gloo",
            store=store,
            rank=rank,
            world_size=size,
            timeout=_PATIENCE,
        )

    def close(self) -> None:
        distributed.destroy_process_group()

    def _summed(self, flat: Any) -> Any:
        return _Sum.apply(flat, self)

    def _gathered(self, flat: Any) -> Any:
        return _Gather.apply(flat, self)

    def reduced(self, flat: Any) -> Any:
        total = functional.all_reduce(flat.contiguous(), "sum", distributed.group.WORLD)
        return functional.wait_tensor(total)

    def collected(self, flat: Any) -> Any:
        parts = functional.all_gather_single(flat.contiguous(), 0, distributed.group.WORLD)
        return functional.wait_tensor(parts)


def _interface_of(host: str) -> str:
    """Return the network interface that has an IPv4 address, where Linux tells; else nothing.

    By default Gloo takes the address that this machine's name stands for, which on many is
    127.0.0.1: workers on other machines would look for this one on their own.
    """
    if sys.platform != "linux":
        return ""
    from fcntl import ioctl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        for _, name in socket.if_nameindex():
            with suppress(OSError):  # it has none
                told = ioctl(asked, _SIOCGIFADDR, struct.pack("256s", name.encode()))
                if socket.inet_ntoa(told[_ADDRESS]) == host:
                    return name
    return ""


class _Sum(torch.autograd.Function):
    """The sum over workers; what depends on it depends on each worker's part."""

    @staticmethod
    def forward(ctx: Any, x: Any, workers: TorchCollective) -> Any:
        ctx.workers = workers
        return workers.total(x)

    @staticmethod
    def backward(ctx: Any, gradient: Any) -> Any:
        return _Sum.apply(gradient, ctx.workers), None


class _Gather(torch.autograd.Function):
    """The parts of all workers; what depends on them depends on each worker's own."""

    @staticmethod
    def forward(ctx: Any, x: Any, workers: TorchCollective) -> Any:
        ctx.workers, ctx.n = workers, x.shape[0]
        return workers.collected(x)

    @staticmethod
    def backward(ctx: Any, gradient: Any) -> Any:
        start = ctx.workers.rank * ctx.n
        return _Sum.apply(gradient, ctx.workers)[start : start + ctx.n], None
