/* Finder: what is looked for again and again, prepared once. */
#ifndef RETRACE_FINDER_H
#define RETRACE_FINDER_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

int finder_init(PyObject *module);

#endif
