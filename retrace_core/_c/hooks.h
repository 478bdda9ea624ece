#ifndef RETRACE_HOOKS_H
#define RETRACE_HOOKS_H

#include "lane.h"

int hooks_init(PyObject *module);
/* The lane of a scope in which the calling code reads, or NULL; gives a reference. */
Lane *lane_asking(void);
extern PyMethodDef hook_functions[];

#endif
