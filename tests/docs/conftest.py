"""Plugins of the documentation are installed as those of the host's tests are."""

from tests.host.conftest import install

__all__ = ["install"]
