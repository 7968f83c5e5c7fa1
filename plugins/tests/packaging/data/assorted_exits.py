"""A plugin that wants to end the process as it is imported."""

import sys

sys.exit("this plugin wants a licence key")
