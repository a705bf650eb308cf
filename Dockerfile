# Meltano with the tap and the loader, for machines that run containers:
#
#   docker build --tag tap-leads .
#   docker run --read-only --tmpfs /tmp --env TAP_LEADS_ACCESS_TOKEN ... tap-leads \
#     python orchestrate/run.py tap-leads target-postgres
#
# The tap, the loader and Meltano have separate environments, which are installed when the image is
# built. A container runs as user 10001 with a read-only root. It writes only to /tmp (TMPDIR),
# where pages wait for the loader. MELTANO_DATABASE_URI must name a PostgreSQL, because Meltano
# cannot write its state into the image.
#
# For Airflow's KubernetesExecutor, include Airflow:
#   docker build --build-arg AIRFLOW=airflow-kubernetes --tag tap-leads-airflow .
FROM python:3.11-slim AS build
ARG AIRFLOW=""
WORKDIR /project
# Everything is compiled now, because a container cannot write into its folders.
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never \
    PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements requirements
RUN python -m pip install --no-cache-dir "$(grep '^uv==' requirements/dev.txt)" \
 && uv venv /opt/meltano \
 && uv pip install --no-cache --python /opt/meltano/bin/python \
      --constraint requirements/dev.txt 'meltano[postgres]' uv \
 && if [ -n "$AIRFLOW" ]; then \
      uv venv /opt/airflow \
      && uv pip sync --no-cache --python /opt/airflow/bin/python "requirements/$AIRFLOW.txt"; \
    fi
COPY pyproject.toml README.md LICENSE meltano.yml ./
COPY tap_leads tap_leads
COPY orchestrate orchestrate
RUN PATH="/opt/meltano/bin:$PATH" meltano install tap-leads target-postgres \
 && rm -f .meltano/meltano.db \
 && python -m compileall -q tap_leads orchestrate

FROM python:3.11-slim
COPY --from=build /opt /opt
COPY --from=build /project /project
WORKDIR /project
# Nothing is written outside /tmp, whatever the user's home is.
ENV PATH="/opt/airflow/bin:/opt/meltano/bin:$PATH" \
    HOME=/tmp \
    AIRFLOW_HOME=/tmp/airflow \
    MELTANO_PROJECT_ROOT=/project \
    PYTHONUNBUFFERED=1
# Python's image has no compiled standard library. Airflow's commands refuse a user without a name.
RUN python -m compileall -q "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
 && groupadd --gid 10001 tap-leads \
 && useradd --uid 10001 --gid 10001 --home-dir /tmp --no-create-home tap-leads
# There is no ENTRYPOINT, because Airflow sets the whole command of a pod.
USER 10001:10001
