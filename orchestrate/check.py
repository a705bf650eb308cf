"""Checks the list of workspaces before it is deployed.

    python -m orchestrate.check [FILE]

Prints a line for each wrong entry; the exit code is 0 only if there is none.
"""

import sys
from pathlib import Path

from orchestrate.workspaces import ListError, read

LIST = Path(__file__).with_name("workspaces.meltano.yml")


def main(path: Path) -> int:
    """Checks a list; returns the exit code."""
    try:
        workspaces, problems = read(path)
    except ListError as error:
        print(error, file=sys.stderr)
        return 1
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{path.name}: {len(workspaces)} right, {len(problems)} wrong")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if sys.argv[1:] else LIST))
