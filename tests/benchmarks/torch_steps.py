#!/usr/bin/python3
"""Steps per second of method train beside PyTorch's on the CPU, one thread each, in turns.

    torch_steps.py [--rounds 5] [--seconds 2] [WORD ...]

Four trainings: inputs/train_modes.yaml (network mlp), inputs/train_two_layer.yaml, one as
inputs/images_train.yaml with half the channels, and a wider mlp in 128 dimensions, or those whose
name holds one of the words.  The same networks, batch and optimiser, written in PyTorch as its
users would: examples by a random order, noise and angles drawn, velocity prediction, the gradient
clipped, Adam, the average of the weights.  Of PyTorch's ways (Adam by tensor or by lists of them;
images with channels first or last) and of OpenBLAS's kernels (its choice, or those for AVX-512
where the processor has it) the fastest counts.

Seconds are the processor's, so that other programs hardly matter.  A rate is that between a short
and a long run: what comes before and behind the steps does not count, nor do looks at the examples
that are held back, of which both runs have two.  The median over the rounds, in each of which both
programs run.
"""
import argparse
import os
import resource
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import INPUTS, Folder, dunlin, write  # noqa: E402

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
HARMONICS, MORE_HARMONICS = 8, 20
WIDE = """
run:    {seed: 1, particles: 1000}
target:
  {type: gaussian_mixture, dimension: 128, layout: two_modes, separation: 1, weights: [0.2, 0.8]}
method:
  type: train
  network: {type: mlp, widths: [256, 256]}
  lessons:
    batch: 128
    examples: {count: 20000, held_back: 1000}
    optimiser: {rate: 1e-3, clip: 1, average: 0.99}
"""
IMAGES = """
run:    {seed: 1, particles: 1000}
target: {type: image_set, side: 16, images: 20000}
method:
  type: train
  network: {type: convolution, widths: [32, 32, 32, 32], spacing: [1, 2, 4, 2, 1]}
  lessons:
    batch: 128
    examples: {count: 20000, held_back: 1000}
    optimiser: {rate: 2e-3, rise: 100, clip: 1, average: 0.999}
"""


def has_wide_vectors():
    with open("/proc/cpuinfo") as info:
        return "avx512f" in info.read()


def features(torch, angle, harmonics=HARMONICS):
    multiples = torch.arange(harmonics + 1, dtype=torch.float32) * angle[:, None]
    return torch.cat([torch.cos(multiples), torch.sin(multiples)], 1)


def make_mlp(torch, d, widths):
    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            sizes = [d, *widths, d]
            self.layers = torch.nn.ModuleList(
                torch.nn.Linear(a + 2 * HARMONICS + 2, b) for a, b in zip(sizes, sizes[1:]))

        def forward(self, x, angle):
            time_ = features(torch, angle)
            for i, layer in enumerate(self.layers):
                x = layer(torch.cat([x, time_], 1))
                x = torch.nn.functional.silu(x) if i < len(self.layers) - 1 else x
            return x
    return Network()


def make_two_layer(torch, d, levels, width):
    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.time = torch.nn.Linear(2 * MORE_HARMONICS + 2, levels)
            self.point = torch.nn.Linear(d, width)
            self.both = torch.nn.Linear(levels * width, d)

        def forward(self, x, angle):
            time_ = self.time(features(torch, angle, MORE_HARMONICS))
            x = torch.nn.functional.relu(self.point(x))
            return self.both((time_[:, :, None] * x[:, None, :]).flatten(1))
    return Network()


def make_convolution(torch, side, widths, spacing):
    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            sizes = [1, *widths, 1]
            self.kernels = torch.nn.ModuleList(
                torch.nn.Conv2d(a, b, 3, padding=s, dilation=s, bias=False)
                for a, b, s in zip(sizes, sizes[1:], spacing))
            self.common = torch.nn.ModuleList(
                torch.nn.Linear(2 * HARMONICS + 2, b) for b in sizes[1:])

        def forward(self, x, angle):
            time_ = features(torch, angle)
            x = x.view(-1, 1, side, side)
            for i, (kernel, common) in enumerate(zip(self.kernels, self.common)):
                x = kernel(x) + common(time_)[:, :, None, None]
                x = torch.nn.functional.silu(x) if i < len(self.kernels) - 1 else x
            return x.reshape(-1, side * side)
    return Network()


class Training:
    """Of PyTorch: one step after the other."""

    def __init__(self, torch, network, d, batch, average, by_lists, last):
        self.torch, self.batch, self.average = torch, batch, average
        self.network = network.to(memory_format=torch.channels_last) if last else network
        self.examples = torch.randn(20000, d)
        self.order, self.at = torch.randperm(20000), 0
        self.weights = list(self.network.parameters())
        self.mean = [w.detach().clone() for w in self.weights]
        self.adam = torch.optim.Adam(self.weights, lr=1e-3, foreach=by_lists)

    def step(self):
        torch = self.torch
        if self.at + self.batch > len(self.order):
            self.order, self.at = torch.randperm(len(self.order)), 0
        x = self.examples[self.order[self.at:self.at + self.batch]]
        self.at += self.batch
        noise, angle = torch.randn_like(x), torch.rand(self.batch) * 1.5607966
        sine, cosine = torch.sin(angle)[:, None], torch.cos(angle)[:, None]
        told = self.network(sine * x + cosine * noise, angle)
        off = (told - (sine * noise - cosine * x)) * cosine
        self.adam.zero_grad(set_to_none=True)
        loss = (off * off).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.weights, 1.)
        self.adam.step()
        with torch.no_grad():
            if self.average > 0:
                torch._foreach_mul_(self.mean, self.average)
                torch._foreach_add_(self.mean, self.weights, alpha=1 - self.average)

    def rate(self, seconds):
        for _ in range(3):
            self.step()
        steps, begin = 0, time.process_time()
        while time.process_time() < begin + seconds:
            self.step()
            steps += 1
        return steps / (time.process_time() - begin)


def cases(torch):
    """Name, input, and what makes PyTorch's network; dimension, batch, average of the weights, and
    whether it is of images."""
    def read(name):
        with open(os.path.join(INPUTS, name)) as file:
            return file.read()
    return [
        ("mlp 10, 64, 64", read("train_modes.yaml"),
         lambda: make_mlp(torch, 10, [64, 64]), 10, 128, .99, False),
        ("mlp 128, 256, 256", WIDE, lambda: make_mlp(torch, 128, [256, 256]), 128, 128, .99, False),
        ("two_layer 128, 3 x 256", read("train_two_layer.yaml"),
         lambda: make_two_layer(torch, 128, 3, 256), 128, 50, 0, False),
        ("convolution 16 x 16, 4 x 32", IMAGES,
         lambda: make_convolution(torch, 16, [32] * 4, [1, 2, 4, 2, 1]), 256, 128, .999, True)]


def spent():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run_seconds(folder, steps):
    begin = spent()
    dunlin("run", "input.yaml", "--quiet", "--overwrite", "--output", "out.h5",
           "--set", f"method.lessons.steps={steps}", "--set", f"method.lessons.every={steps}",
           folder=folder)
    return spent() - begin


def dunlin_rate(folder, steps):
    return (steps - steps // 8) / (run_seconds(folder, steps) - run_seconds(folder, steps // 8))


def steps_for(folder, seconds):
    """So many that they take most of a run that takes these seconds."""
    steps, least = 8, run_seconds(folder, 1)
    while run_seconds(folder, steps) < least + seconds:
        steps *= 2
    return steps


def torch_rate(torch, case, seconds):
    _, _, make, d, batch, average, images = case
    return max(Training(torch, make(), d, batch, average, by_lists, last).rate(seconds / 2)
               for by_lists in (False, True) for last in ((False, True) if images else (False,)))


def torch_rate_elsewhere(number, seconds, kernels):
    """In a process of its own, since OpenBLAS takes its kernels when it is loaded."""
    environment = dict(os.environ)
    if kernels:
        environment["OPENBLAS_CORETYPE"] = kernels
    done = subprocess.run([sys.executable, os.path.abspath(__file__), "--torch", str(number),
                           "--seconds", str(seconds)], env=environment, check=True,
                          stdout=subprocess.PIPE, text=True)
    return float(done.stdout)


def compare(number, case, options, kernels):
    name, text = case[:2]
    with Folder() as folder:
        write(folder, "input.yaml", text)
        steps, ours, theirs = steps_for(folder, options.seconds), [], []
        for _ in range(options.rounds):
            ours.append(dunlin_rate(folder, steps))
            theirs.append(max(torch_rate_elsewhere(number, options.seconds, one)
                              for one in kernels))
    ratios = [a / b for a, b in zip(ours, theirs)]
    print(f"{name:30s} {statistics.median(ours):10.0f} {statistics.median(theirs):10.0f} "
          f"{statistics.median(ratios):8.2f}   {min(ratios):.2f} to {max(ratios):.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--torch", type=int, help=argparse.SUPPRESS)
    parser.add_argument("words", nargs="*", metavar="WORD")
    options = parser.parse_args()
    try:
        import torch
    except ImportError as error:
        print(f"PyTorch is not installed, there is nothing to compare with: {error}")
        return
    torch.set_num_threads(1)
    if options.torch is not None:
        print(torch_rate(torch, cases(torch)[options.torch], options.seconds))
        return
    print(f"PyTorch {torch.__version__}, one thread each; steps per second, medians of "
          f"{options.rounds} rounds\n")
    print(f"{'training':30s} {'dunlin':>10s} {'PyTorch':>10s} {'ratio':>8s}   range")
    kernels = [None] + ["SkylakeX"] * has_wide_vectors()
    for number, case in enumerate(cases(torch)):
        if not options.words or any(word in case[0] for word in options.words):
            compare(number, case, options, kernels)


main()
