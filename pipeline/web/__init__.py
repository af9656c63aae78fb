"""The web: sends a Request and hands back its Response, politely, within limits, to public addresses only."""

from pipeline.web.client import Web, WebLimits
from pipeline.web.politeness import Pace
from pipeline.web.second_reader import Endpoint, SecondReader

__all__ = ["Endpoint", "Pace", "SecondReader", "Web", "WebLimits"]
