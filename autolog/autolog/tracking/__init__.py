"""The client, and the address that it tracks to."""

from autolog.client import MlflowClient
from autolog.tracking.address import get_tracking_uri, is_tracking_uri_set, set_tracking_uri

__all__ = ["MlflowClient", "get_tracking_uri", "is_tracking_uri_set", "set_tracking_uri"]
