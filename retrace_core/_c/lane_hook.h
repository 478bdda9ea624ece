/* Lane hook: a hook that costs next to nothing where nobody records. */
#ifndef RETRACE_LANE_HOOK_H
#define RETRACE_LANE_HOOK_H

#include <Python.h>

int lane_hook_init(PyObject *module);

#endif
