"""Run by the interpreter before anything else, in each process of a suite under Retrace."""

import wrapping

wrapping.activate()
