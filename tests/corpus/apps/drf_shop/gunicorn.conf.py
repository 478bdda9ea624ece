"""Two workers, two threads each."""

worker_class = "gthread"
workers = 2
threads = 2
accesslog = "-"
