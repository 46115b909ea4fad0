"""How fast the faux server is, beside others in the same browser: one table.

python -m tests.bench                       all of it
python -m tests.bench requests routes       these subjects only
"""

import argparse

from tests.bench import boot, driven, fetch, guard, http, reload, requests, reset, routes, sizes
from tests.bench.cast import bench
from tests.bench.table import table

SUBJECTS = {
    "boot": boot.rows,
    "requests": requests.rows,
    "guard": guard.rows,
    "routes": routes.rows,
    "fetch": fetch.rows,
    "playwright": driven.rows,
    "http": http.rows,
    "reset": reset.rows,
    "reload": reload.rows,
    "sizes": sizes.rows,
}


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help=f"one or more of {', '.join(SUBJECTS)}")
    parser.add_argument("--rounds", type=int, default=5, help="how often each figure is taken; the median counts")
    parser.add_argument("--quick", action="store_true", help="see that all runs; such figures mean nothing")
    options = parser.parse_args(argv)
    unknown = set(options.subjects) - set(SUBJECTS)
    if unknown:
        parser.error(f"There is no subject {sorted(unknown)[0]!r}. There are {', '.join(SUBJECTS)}.")

    with bench(options.rounds, options.quick) as running:
        rows = [row for name in options.subjects or SUBJECTS for row in SUBJECTS[name](running)]
        print(f"{running.machine()}\n\n{table(rows)}")


if __name__ == "__main__":
    main()
