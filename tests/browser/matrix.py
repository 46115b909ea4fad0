"""The libraries that a page of ours may stand beside (row F2), and where the tests find them."""

from typing import NamedTuple


class Combination(NamedTuple):
    """One Backbone with its Underscore and its jQuery, which may be missing."""

    backbone: str
    underscore: str
    jquery: str | None

    def __str__(self) -> str:
        return f"{self.backbone}/{self.underscore}/{self.jquery or 'no jQuery'}"

    @property
    def scripts(self) -> list[str]:
        """Their addresses, in the order in which a page has to load them."""
        jquery = [f"/npm/jquery-{self.jquery}/{JQUERY.get(self.jquery, 'dist/jquery.js')}"] if self.jquery else []
        return [
            *jquery,
            f"/npm/underscore-{self.underscore}/underscore.js",
            f"/npm/backbone-{self.backbone}/backbone.js",
        ]


JQUERY = {"1.9.1": "jquery.js"}

COMBINATIONS = [
    Combination("1.0.0", "1.4.4", "1.9.1"),
    Combination("1.0.0", "1.5.2", "1.11.3"),
    Combination("1.1.0", "1.5.2", "1.11.3"),
    Combination("1.1.2", "1.5.2", "1.11.3"),
    Combination("1.2.3", "1.8.3", "1.11.3"),
    Combination("1.2.3", "1.8.3", "2.2.4"),
    Combination("1.3.3", "1.8.3", "2.2.4"),
    Combination("1.3.3", "1.8.3", "3.7.1"),
    Combination("1.4.1", "1.13.7", "3.7.1"),
    Combination("1.5.0", "1.13.7", "3.7.1"),
    Combination("1.6.0", "1.13.7", "3.7.1"),
    Combination("1.6.1", "1.13.7", "3.7.1"),
    Combination("1.6.1", "1.13.7", "4.0.0"),
    Combination("1.6.1", "1.13.7", None),
]

LATEST = COMBINATIONS[11]
OLDEST = COMBINATIONS[0]
WITHOUT_JQUERY = COMBINATIONS[-1]
