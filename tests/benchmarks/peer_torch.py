"""PyTorch's contenders: torch.func, by vmap over sines and by a loop over images, and higher 0.2.1."""

from collections.abc import Callable

import numpy as np
import torch
from peer_problems import BLOCKS, EPSILON, SIDE, SIZES, WAYS, Contender, Problem, repeat
from torch import nn
from torch.nn import functional

torch.set_num_threads(1)
torch.set_num_interop_threads(1)


def from_keras(array: np.ndarray) -> torch.Tensor:
    """Kernels as (filters, inputs, 3, 3), dense matrices as (outputs, inputs)."""
    axes = {2: (1, 0), 4: (3, 2, 0, 1)}.get(array.ndim, range(array.ndim))
    return torch.tensor(np.ascontiguousarray(array.transpose(*axes)))


def to_keras(tensor: torch.Tensor) -> np.ndarray:
    """And back."""
    array = tensor.detach().numpy().copy()
    return array.transpose(*{2: (1, 0), 4: (2, 3, 1, 0)}.get(array.ndim, range(array.ndim)))


class SamePadding(nn.Module):
    """TensorFlow's padding of a 3 x 3 convolution with stride 2: the odd one on the right."""

    def __init__(self, side: int) -> None:
        super().__init__()
        total = max((-(-side // 2) - 1) * 2 + 3 - side, 0)
        self.pad = [total // 2, total - total // 2] * 2

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x (points, channels, rows, columns)."""
        return functional.pad(x, self.pad)


class Flatten(nn.Module):
    """In the order of channels last."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(points, channels, rows, columns) to (points, features)."""
        return x.permute(0, 2, 3, 1).reshape(len(x), -1)


def network(problem: Problem) -> nn.Module:
    """The workload's network with its parameters."""
    layers: list[nn.Module] = []
    if problem.conv:
        channels, side = 1, SIDE
        for _ in range(BLOCKS):
            if problem.family == "pool":
                layers.append(nn.Conv2d(channels, problem.filters, 3, padding=1, bias=False))
            else:
                layers += [SamePadding(side), nn.Conv2d(channels, problem.filters, 3, 2, bias=False)]
            layers += [nn.BatchNorm2d(problem.filters, EPSILON, track_running_stats=False), nn.ReLU()]
            layers += [nn.MaxPool2d(2)] if problem.family == "pool" else []
            channels, side = problem.filters, -(-side // 2) if problem.family == "stride" else side // 2
        layers += [Flatten(), nn.Linear(side * side * channels, WAYS)]
    else:
        for a, b in zip(SIZES[:-1], SIZES[1:], strict=True):
            layers += [nn.Linear(a, b), nn.ReLU()]
        layers.pop()
    net = nn.Sequential(*layers).to(getattr(torch, problem.dtype))
    with torch.no_grad():
        for parameter, value in zip(net.parameters(), problem.theta(), strict=True):
            parameter.copy_(from_keras(value))
    return net


def loss(problem: Problem, out: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Mean squared error, or cross entropy."""
    return functional.cross_entropy(out, y) if problem.conv else functional.mse_loss(out, y)


def batches(problem: Problem) -> list[list[torch.Tensor]]:
    """Meta-batches as tensors, images with channels first."""
    found = []
    for batch in problem.batches():
        parts = [np.moveaxis(a, -1, 2) if a.ndim == 5 else a for a in batch]
        found.append(
            [torch.tensor(np.ascontiguousarray(a if a.dtype.kind == "f" else a.astype("int64"))) for a in parts]
        )
    return found


def contender(problem: Problem, net: nn.Module, backward: Callable) -> Contender:
    """An outer step is `backward`, which leaves the meta-gradient in net, and Adam (a step of 1 for the check)."""
    parameters = list(net.parameters())
    outer = torch.optim.SGD(parameters, 1.0) if problem.check else torch.optim.Adam(parameters, 1e-3, fused=True)

    def step(batch: list) -> None:
        outer.zero_grad()
        backward(batch)
        outer.step()

    return Contender(repeat(step, batches(problem)), lambda: [to_keras(p) for p in parameters])


def func(problem: Problem) -> Contender:
    """torch.func."""
    net = network(problem)
    names = [name for name, _ in net.named_parameters()]

    def task_loss(theta: list, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        out = torch.func.functional_call(net, dict(zip(names, theta, strict=True)), (x,))
        return loss(problem, out, y)

    def query_loss(theta: list, *task: torch.Tensor) -> torch.Tensor:
        for _ in range(problem.steps):
            gradient = torch.func.grad(task_loss)(theta, *task[:2])
            theta = [p - problem.inner_lr * g for p, g in zip(theta, gradient, strict=True)]
        return task_loss(theta, *task[2:])

    one = torch.func.grad(query_loss)
    every = torch.func.vmap(one, (None, 0, 0, 0, 0))

    def backward(batch: list) -> None:
        theta = [p.detach() for p in net.parameters()]
        if problem.conv:
            each = [one(theta, *(part[i] for part in batch)) for i in range(problem.tasks)]
            gradient = [sum(parts) / problem.tasks for parts in zip(*each, strict=True)]
        else:
            gradient = [g.mean(0) for g in every(theta, *batch)]
        for p, g in zip(net.parameters(), gradient, strict=True):
            p.grad = g

    return contender(problem, net, backward)


def higher(problem: Problem) -> Contender:
    """higher: a loop over the tasks."""
    from higher import innerloop_ctx

    net = network(problem)
    inner = torch.optim.SGD(net.parameters(), problem.inner_lr)

    def backward(batch: list) -> None:
        for i in range(problem.tasks):
            support_x, support_y, query_x, query_y = (part[i] for part in batch)
            with innerloop_ctx(net, inner, copy_initial_weights=False) as (fast, rule):
                for _ in range(problem.steps):
                    rule.step(loss(problem, fast(support_x), support_y))
                (loss(problem, fast(query_x), query_y) / problem.tasks).backward()

    return contender(problem, net, backward)
