"""The README's code for Node and bundlers, by the file name in its first line."""

import re
from pathlib import Path

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def block(name: str) -> str:
    (code,) = [code for code in re.findall(r"^```js\n(.*?)^```$", README, re.M | re.S) if code.startswith(f"// {name}")]
    return str(code)


def routes() -> str:
    """The first example's route file."""
    return re.findall(r"^```python\n(.*?)^```$", README, re.M | re.S)[0]  # type: ignore[no-any-return]
