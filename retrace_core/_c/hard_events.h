/* Hard events: where the parts of those stand that returned, in an encoded lane. */
#ifndef RETRACE_HARD_EVENTS_H
#define RETRACE_HARD_EVENTS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern PyMethodDef hard_events_functions[];

#endif
