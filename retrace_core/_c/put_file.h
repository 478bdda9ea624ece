/* Put file: the usual case of storing a recording, without the GIL from start to end. */
#ifndef RETRACE_PUT_FILE_H
#define RETRACE_PUT_FILE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern PyMethodDef put_file_functions[];

#endif
