"""`strokes`: a posted picture in time, an A1 print in time and memory, the same bytes again, and any input."""

from __future__ import annotations

import hashlib
import time

from auria_bot.art.evaluation.stylist import invented_scene
from auria_bot.art.stylists.hands import family_of, hand_of
from auria_bot.art.stylists.media import render
from tests.bench import Result
from tests.bench.reference import Stopwatch
from tests.scenarios.strokes import megabytes, odd_inputs, shipped_bank

POSTED, A1 = (1080, 1350), (7016, 9933)  # pixels; A1 at 300 dpi
SECONDS, A1_SECONDS, A1_MEGABYTES = 1.5, 90.0, 1500
ODD = 1000


def run(*, a1: bool = True) -> Result:
    """Paint a scene by a master of each family, one of them as large as A1 if wanted."""
    masters = {family_of(painting.hand): painting for painting in shipped_bank().paintings}
    scene = invented_scene(3, 512)
    watch, times, same = Stopwatch(), {}, True
    for family, master in sorted(masters.items()):
        hand = hand_of(master.hand)
        begun = time.process_time()
        first = render(scene, size=POSTED, hand=hand, seed=1)
        times[family] = time.process_time() - begun
        watch.sample(2)
        same = same and _hash(first.tobytes()) == _hash(render(scene, size=POSTED, hand=hand, seed=1).tobytes())
    failed = odd_inputs(ODD)
    slowest = watch.reference.interpreted(max(times.values()))
    print_seconds = 0.0
    if a1:
        begun = time.process_time()
        render(scene, size=A1, hand=hand_of(masters["flowing"].hand), seed=1)
        print_seconds = watch.reference.interpreted(time.process_time() - begun)
    each = ", ".join(f"{family} {seconds:.2f}" for family, seconds in times.items())
    return Result(
        name="strokes",
        figures=f"{each} s of one core; slowest {slowest:.2f} s and A1 {f'{print_seconds:.0f} s' if a1 else 'not tried,'} on the reference machine"
        f" ({watch.reference}); {megabytes():.0f} MB; {'the same' if same else 'other'} bytes; {len(failed)} of {ODD} failed"
        + "".join(f"; {each}" for each in failed[:3]),
        bar=f"{SECONDS} s; {f'A1 {A1_SECONDS:g} s, ' if a1 else ''}{A1_MEGABYTES} MB; same bytes; none fails",
        passed=slowest <= SECONDS
        and print_seconds <= A1_SECONDS
        and megabytes() <= A1_MEGABYTES
        and same
        and not failed,
    )


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
