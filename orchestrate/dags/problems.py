"""Makes no DAG, but an import error that names each wrong entry of ../workspaces.meltano.yml.

It is a separate file because Airflow stops every DAG of a file with an import error.
"""

import os
import sys
from pathlib import Path

PROJECT = Path(os.environ.get("MELTANO_PROJECT_ROOT") or Path(__file__).resolve().parents[2])
sys.path.append(str(PROJECT))

from orchestrate.workspaces import read  # noqa: E402 - found in the project

if problems := read(PROJECT / "orchestrate/workspaces.meltano.yml")[1]:
    raise ValueError("Workspaces without a DAG, as their entry is wrong:\n" + "\n".join(problems))
