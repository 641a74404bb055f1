"""A model: assigns the reserved room type, like the plugin `booked-room` in Rust."""

from __future__ import annotations

from dataclasses import dataclass

from understudy_sdk import model


@dataclass
class Booking:
    """The fields of a booking that the model reads."""

    reserved_room_type: str


@model
def booked_room(booking: Booking) -> str:
    """The reserved room type."""
    return booking.reserved_room_type
