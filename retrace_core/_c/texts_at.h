/* Texts at: in which text of a MessagePack stream a place lies, and what that text is there. */
#ifndef RETRACE_TEXTS_AT_H
#define RETRACE_TEXTS_AT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define WALK_DEPTH 256

typedef struct {
    Py_ssize_t left;
    Py_ssize_t size;
    int map;
    int wrapped; /* in an extension: a tuple, not a list */
    int mixed;   /* something else than arrays of two stood in it */
} Level;

/* A walk through data[place:end]; `wrong` says why it can't go on. */
typedef struct {
    const unsigned char *data;
    Py_ssize_t place, end;
    Level levels[WALK_DEPTH];
    int depth;
    int wraps;
    const char *wrong;
} Walk;

typedef struct {
    Py_ssize_t begin, end;
    int role;
} Text;

void walk_begin(Walk *walk, const unsigned char *data, Py_ssize_t begin, Py_ssize_t end);
/* 1 with the next text, 0 at the end, -1 with an error set. */
int walk_next(Walk *walk, Text *text);

/* Appends a new reference and gives it up; fails where there is none, after an error. */
int append_new(PyObject *list, PyObject *item);

extern PyMethodDef texts_at_functions[];

#endif
