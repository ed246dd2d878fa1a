# Shared by serve and test: a virtual environment beside the code with Velella in it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
unset PYTHONDONTWRITEBYTECODE  # where it is set, each of a shop's processes compiles all that it imports: 4 s instead of 1.5

python_of_this_machine() {
  for candidate in "${PYTHON:-}" python3.13 python3.12 python3.11 python3; do
    if [ -n "$candidate" ] && "$candidate" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo "Velella needs Python 3.11 or newer with venv; found none. Set PYTHON to one." >&2
  return 1
}

# install GROUP…: (re)install when pyproject.toml has changed since the last time.
install() {
  local stamp=".venv/.installed-$(echo "run $*" | tr ' ' '-')"
  if [ ! -x .venv/bin/python ]; then
    "$(python_of_this_machine)" -m venv .venv
  fi
  if ! cmp -s pyproject.toml "$stamp"; then
    echo "Installing into .venv (once, a minute or two) …" >&2
    local groups=()
    for group in "$@"; do groups+=(--group "$group"); done
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --editable . ${groups[@]+"${groups[@]}"}
    .venv/bin/python -m compileall -qq -j 0 .venv/lib || true  # pip compiles with one core; some packages hold examples that are no Python
    cp pyproject.toml "$stamp"
  fi
}
