"""Tags the wheel for the platform of the program."""

import os

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PlatformTag(BuildHookInterface):
    """The wheel serves any Python 3, and only the platform of the program that is in it."""

    def initialize(self, version: str, build_data: dict) -> None:
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{os.environ['UNDERSTUDY_PLATFORM']}"
