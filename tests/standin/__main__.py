"""`python -m standin`, with tests/ as the current folder."""

import sys

from .twilio_standin import main

sys.exit(main())
