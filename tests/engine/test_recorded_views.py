"""On PyTorch a recording sees a tensor through one view, and calls kernels the short way."""

import operator

import keras
import pytest

if keras.config.backend() != "torch":
    pytest.skip("PyTorch's own", allow_module_level=True)

import torch  # noqa: TID253 - what is recorded is PyTorch's
from torch.fx.experimental.proxy_tensor import make_fx  # noqa: TID253

from genkit.engine.torch_direct import call_directly
from genkit.engine.torch_views import merge_views


def several(x):
    heads = (x @ x.T).view(2, 3, 2, 3).permute(2, 0, 1, 3)
    same = heads.unsqueeze(0).expand(1, 2, 2, 3, 3)
    part = same[:, 1].transpose(1, 2).unsqueeze(-1).expand(1, 3, 2, 3, 5)
    return [heads.contiguous() + 1, same * 2, part.cumsum(-1), torch.where(x > 0, x, -x).view(4, 9)]


def there_and_back(x):
    return [(x + 1).view(4, 9).t().t().view(6, 6).exp()]


def from_elsewhere_on(x):
    return [torch.as_strided(x + 0, (3, 4), (4, 1), 12).unsqueeze(0).exp()]


@pytest.mark.parametrize("fn", [several, there_and_back, from_elsewhere_on])
def test_merged_views_and_direct_calls_give_the_same_bits(fn):
    x = torch.randn(6, 6)
    recording = make_fx(fn)(x)
    merge_views(recording.graph)
    call_directly(recording.graph)
    recording.recompile()
    other = torch.randn(6, 6)
    for found, expected in zip(recording(other), fn(other), strict=True):
        assert torch.equal(found, expected)
        assert found.stride() == expected.stride()


def test_a_chain_of_views_is_one_view_or_none():
    recording = make_fx(there_and_back)(torch.randn(6, 6))
    merge_views(recording.graph)
    called = [n.target for n in recording.graph.nodes if n.op == "call_function"]
    assert called == [torch.ops.aten.add.Tensor, torch.ops.aten.exp.default]
    recording = make_fx(several)(torch.randn(6, 6))
    before = len(recording.graph.nodes)
    merge_views(recording.graph)
    assert len(recording.graph.nodes) < before


def test_what_is_written_through_a_view_is_seen_in_the_rest():
    def fn(x):
        y = x + 0
        y.view(36).unsqueeze(0).view(4, 9).t().add_(1)
        return [y * 2]

    recording = make_fx(fn)(torch.randn(6, 6))
    merge_views(recording.graph)
    recording.recompile()
    x = torch.randn(6, 6)
    assert torch.equal(recording(x)[0], fn(x)[0])


def test_calls_go_past_the_schemas():
    recording = make_fx(lambda x: [(x * 2).view(36).unsqueeze(0) + 1])(torch.randn(6, 6))
    call_directly(recording.graph)
    called = [n for n in recording.graph.nodes if n.op == "call_function"]
    assert all(
        node.target is operator.getitem or not isinstance(node.target, torch._ops.OpOverload)
        for node in called
    )
