#!/usr/bin/python3
"""Steps per second of method scld at published settings, where their time goes, and the lesson
beside PyTorch's on the CPU, one thread each.

    scld_steps.py [--steps 20] [--seconds 10] [WORD ...]

Settings: forty modes (d = 50, 4 pieces), seeds (d = 26, 128 pieces) and pines (d = 1600, 128
pieces; with 64 particles, since its target takes nearly all of the time); those whose name holds a
WORD.

Seconds are the processor's, between a short and a long run, so that what comes before and behind
the steps does not count, nor does memory that is touched for the first time.  Shares are of samples
that `perf` takes, by the file that a function is in; without perf there are none.  `over products`
is the time of a step in that of the network's products alone: the aim is 2.

The lesson is the loss of as many pieces as there are particles, of each number, with its slopes:
ours from the program `bench`, in which the choice of the pieces and Adam are left out (some per
cent), and the same network, loss and Adam in PyTorch, pieces held ready in memory.
"""
import argparse
import collections
import os
import re
import resource
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import BUILD, INPUTS, Folder, data_folder, dunlin, write  # noqa: E402

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
INPUT = """
run:    {{seed: 1, particles: {particles}}}
target: {{{target}}}
path:
  type: controlled
  base: {{scale: {scale}}}
  pieces: {pieces}
  diffusion: {{largest: {diffusion}}}
kernel: {{type: hmc, leapfrog_steps: 10, step_size: 1, metric: identity, jitter: 0}}
method: {{type: scld, resampling: multinomial, move_steps: [{moves}], batches: {batches}}}
output: {{file: out.h5, checkpoint_every: 1h}}
"""
STEPS, WIDTH = 128, 64
# Name, d, pieces, particles of the published setting and of the run, batches, share of --steps.
SETTINGS = [
    ("forty modes", 50, 4, 2000, 2000, 5, 1,
     {"target": "type: gaussian_mixture, file: gmm40_means_d50.csv", "scale": 40, "diffusion": 20,
      "moves": ".2, .001"}),
    ("seeds", 26, 128, 2000, 2000, 5, 1,
     {"target": f"type: seeds, data: {INPUTS}/data/seeds.csv", "scale": 1, "diffusion": 1,
      "moves": ".2, .05"}),
    ("pines", 1600, 128, 300, 64, 2, .1,
     {"target": f"type: log_gaussian_cox_process, data: {INPUTS}/data/finnish_pines.csv",
      "scale": 1, "diffusion": 10, "moves": ".01, .2"})]


# ---- the whole -----------------------------------------------------------------------------------

def spent():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run_seconds(folder, steps):
    begin = spent()
    dunlin("run", "input.yaml", "--quiet", "--overwrite", "--set", f"method.steps={steps}",
           "--set", f"method.every={steps}", folder=folder)
    return spent() - begin


def group_of(file, symbol):
    """Where a function's time is booked."""
    if re.match("product_|add_product|dun_tile_turn", symbol):
        return "products"
    if "activation" in file or "layers" in file or "learning/control" in file:
        return "network's rest"
    if re.search("/targets/|/linear|/mixture|/evaluator|openblas|lapack", file):
        return "target"
    if "random" in file or symbol.startswith(("words_", "box_muller")):
        return "random numbers"
    if "replay" in file or "/order" in file or symbol.startswith("widen"):
        return "replay"
    if "kernels/" in file:
        return "moves"
    return "the rest"


def files_of_functions(program):
    """Of each name the file, a target's where several have it."""
    found = {}
    said = subprocess.run(["nm", "--line-numbers", program], stdout=subprocess.PIPE, check=True,
                          text=True).stdout
    for line in said.splitlines():
        match = re.match(r"[0-9a-f]+ [tT] (\S+)\s+(\S+):\d+$", line)
        if match and ("/targets/" in match[2] or match[1] not in found):
            found[match[1]] = match[2]
    return found


def shares(folder, steps):
    """Of all samples of the second half of a run."""
    program = os.path.join(BUILD, "dunlin")
    if not shutil.which("perf"):
        return {}
    wait = int(600 * run_seconds(folder, steps))  # of the processor's; the clock's are more
    subprocess.run(["perf", "record", "-D", str(wait), "-e", "cpu-clock:u", "-F", "499", "-o",
                    "perf.data", program, "run", "input.yaml", "--quiet", "--overwrite", "--set",
                    f"method.steps={steps}", "--set", f"method.every={steps}"],
                   cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    said = subprocess.run(["perf", "report", "-i", "perf.data", "--no-children", "--comm", "dunlin",
                           "--sort", "dso,symbol", "-g", "none"], cwd=folder, check=True, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    files, found = files_of_functions(program), collections.Counter()
    for line in said.splitlines():
        match = re.match(r"\s*([\d.]+)%\s+(\S+)\s+\[.\] (\S+)", line)
        if match:
            symbol = match[3]
            file = files.get(symbol, files.get(symbol.split(".")[0], match[2]))
            found[group_of(file, symbol)] += float(match[1])
    return {name: part / sum(found.values()) for name, part in found.items()}


def tell_whole(setting, steps):
    name, _, pieces, _, particles, batches, share, words = setting
    with Folder() as folder:
        write(folder, "input.yaml", INPUT.format(particles=particles, pieces=pieces,
                                                 batches=batches, **words))
        short = batches + 1
        many = short + max(2, int(steps * share))
        seconds = (run_seconds(folder, many) - run_seconds(folder, short)) / (many - short)
        parts = shares(folder, many)
    print(f"{name}: {particles} particles, {1 / seconds:.3g} steps per second", end="")
    if parts:
        print(f", {1 / max(parts['products'], 1e-9):.2f} over products; "
              + ", ".join(f"{part} {100 * share:.0f} %" for part, share in
                          sorted(parts.items(), key=lambda item: -item[1])), end="")
    print(flush=True)


# ---- the lesson ----------------------------------------------------------------------------------

def our_lesson(setting):
    """Seconds of one, by the bench's nanoseconds of a particle's step."""
    _, d, pieces, particles = setting[:4]
    said = subprocess.run([os.path.join(BUILD, "tests", "benchmarks", "bench"),
                           f"scld lesson {d} in {pieces}"], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    return float(re.search(r"pieces +([\d.]+)", said)[1]) * 1e-9 * particles * STEPS


def make_control(torch, d):
    """The network of learning/control.h."""
    nn = torch.nn

    class Control(nn.Module):
        def __init__(self):
            super().__init__()
            self.phase = nn.Parameter(torch.zeros(WIDTH))
            self.multiples = torch.linspace(.1, 100, WIDTH)
            gelu = nn.GELU(approximate="tanh")
            self.lift = nn.Sequential(nn.Linear(2 * WIDTH, WIDTH), gelu, nn.Linear(WIDTH, WIDTH))
            self.gain = nn.Sequential(nn.Linear(2 * WIDTH, WIDTH), gelu, nn.Linear(WIDTH, WIDTH),
                                      gelu, nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, d))
            self.state = nn.Sequential(nn.Linear(d + WIDTH, WIDTH), gelu, nn.Linear(WIDTH, WIDTH),
                                       gelu, nn.Linear(WIDTH, d))

        def times(self, k):
            angle = self.multiples * k[:, None] + self.phase
            e = torch.cat([torch.sin(angle), torch.cos(angle)], 1)
            return self.lift(e), self.gain(e)

        def forward(self, x, lift):
            o = self.state(torch.cat([x, lift.expand(x.shape[0], -1, -1)], 2))
            return torch.clamp(o, -1e4, 1e4)
    return Control()


class Lesson:
    """The log-variance loss of a piece of each number, its slopes, and Adam."""

    def __init__(self, torch, d, pieces, particles):
        self.torch, self.pieces, self.length = torch, pieces, STEPS // pieces
        held = min(pieces, 4)  # pieces in memory; those of other numbers are the same
        self.x = torch.randn(held, particles, self.length + 1, d)
        self.g = -self.x * torch.ones(d)
        self.ends = torch.randn(held, 2, particles)
        self.control = make_control(torch, d)
        self.exponents = torch.nn.Parameter(torch.ones(STEPS))
        self.mean = torch.nn.Parameter(torch.zeros(d))
        self.log_scale = torch.nn.Parameter(torch.zeros(d))
        self.numbers = [*self.control.parameters(), self.exponents, self.mean, self.log_scale]
        self.adam = torch.optim.Adam(self.numbers, lr=1e-3, foreach=True)
        self.sigma = torch.cos(torch.linspace(0, 1.5, STEPS))

    def score(self, x, g, t):
        base = (self.mean - x) * (-2 * self.log_scale).exp()
        full = (1 - t)[:, None] * base + t[:, None] * g
        norm = full.detach().norm(dim=2, keepdim=True).clamp(min=1e-30)
        return full * (norm.clamp(max=1e6) / norm)

    def log_pi(self, x, lp, t):
        away = (x - self.mean) * (-self.log_scale).exp()
        base = -.5 * (away * away).sum(1) - self.log_scale.sum()
        return (1 - t) * base + t * lp

    def variance(self, n, beta, lift, gain):
        at, first = n * self.length, n % len(self.x)
        x, g, k = self.x[first], self.g[first], slice(at, at + self.length)
        later = slice(at + 1, at + self.length + 1)
        o = self.control(x, lift[at:at + self.length + 1])
        there = self.score(x[:, :-1], g[:, :-1], beta[k])
        back = self.score(x[:, 1:], g[:, 1:], beta[k])
        f = there + o[:, :-1] + gain[k] * there.detach().clamp(-100, 100)
        b = back - o[:, 1:] - gain[later] * back.detach().clamp(-100, 100)
        quarter = .25 * self.sigma[k] ** 2 / STEPS
        step = x[:, 1:] - x[:, :-1]
        ways = ((f + b) * (quarter[:, None] * (f - b) - .5 * step)).sum((1, 2))
        ends = (self.log_pi(x[:, -1], self.ends[first, 1], beta[at + self.length])
                - self.log_pi(x[:, 0], self.ends[first, 0], beta[at]))
        return (ways + ends).var(unbiased=False)

    def step(self):
        torch = self.torch
        self.adam.zero_grad(set_to_none=True)
        share = torch.nn.functional.softplus(self.exponents)
        beta = torch.cat([torch.zeros(1), torch.cumsum(share, 0) / share.sum()])
        lift, gain = self.control.times(torch.arange(STEPS + 1.))
        heads = [value.detach().requires_grad_() for value in (beta, lift, gain)]
        for n in range(self.pieces):  # a graph of all at once is larger than the cache, and slower
            (self.variance(n, *heads) / self.pieces).backward()
        torch.autograd.backward([beta, lift, gain], [head.grad for head in heads])
        torch.nn.utils.clip_grad_value_(self.numbers, 1.)
        self.adam.step()


def torch_lesson(torch, setting, seconds):
    lesson = Lesson(torch, *setting[1:4])
    lesson.step()
    steps, begin = 0, time.process_time()
    while steps == 0 or time.process_time() < begin + seconds:
        lesson.step()
        steps += 1
    return (time.process_time() - begin) / steps


def tell_lessons(settings, seconds):
    try:
        import torch
        torch.set_num_threads(1)
        print(f"\nPyTorch {torch.__version__}, one thread each; seconds of a lesson\n")
    except ImportError as error:
        torch = None
        print(f"\nPyTorch is not installed, there is nothing to compare with: {error}\n")
    print(f"{'lesson':40s} {'dunlin':>10s} {'PyTorch':>10s} {'ratio':>8s}")
    for setting in settings:
        name, d, pieces, particles = setting[:4]
        ours = our_lesson(setting)
        theirs = torch_lesson(torch, setting, seconds) if torch else float("nan")
        label = f"{name}, {d} in {pieces}, {particles} particles"
        print(f"{label:40s} {ours:10.4g} {theirs:10.4g} {theirs / ours:8.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("words", nargs="*")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    settings = [setting for setting in SETTINGS
                if not options.words or any(word in setting[0] for word in options.words)]
    for setting in settings:
        needed = "gmm40_means_d50.csv" if setting[0] == "forty modes" else None
        if needed and not os.path.exists(os.path.join(data_folder() or "/nonexistent", needed)):
            print(f"{setting[0]}: {needed} is not at hand")
        else:
            tell_whole(setting, options.steps)
    tell_lessons(settings, options.seconds)


main()
