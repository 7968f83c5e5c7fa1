"""A plugin that fails, and fails again when it is asked why."""


class Mute(Exception):
    def __str__(self) -> str:
        raise ValueError("not even that")


raise Mute
