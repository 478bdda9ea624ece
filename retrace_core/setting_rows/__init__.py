"""Setting rows: the table of settings, one file for each subject.

amount.py              spans of time and sizes as people write them
setting.py             one row of that table
recording_settings.py  the rows of recording
decision_settings.py   the rows of the decision
limit_settings.py      the rows of the limits
keeping_settings.py    the rows of the catalog, of retention and of the audit log
store_settings.py      the rows of stores and the spool before them
secret_settings.py     the rows of what is masked, sealed and encrypted
"""
