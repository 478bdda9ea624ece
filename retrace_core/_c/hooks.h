#ifndef RETRACE_HOOKS_H
#define RETRACE_HOOKS_H

#include "lane.h"

int hooks_init(PyObject *module);
extern PyMethodDef hook_functions[];

#endif
