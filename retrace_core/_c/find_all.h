/* Find all: where any of many texts stand in a piece of memory, in one pass. */
#ifndef RETRACE_FIND_ALL_H
#define RETRACE_FIND_ALL_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

#define NEEDLE_HEAD 4

typedef struct {
    const unsigned char *text;
    Py_ssize_t size;
} Needle;

/* What is looked for, prepared. */
typedef struct {
    PyObject *texts; /* a tuple of bytes, which the needles point into */
    Needle *needles;
    int count, fold;
    Py_ssize_t digits; /* how many a run has at least; 0: runs are not looked for */
    int first[65];     /* of each group the first needle, and the end of the last */
    uint64_t masks[NEEDLE_HEAD][256];
} Needles;

typedef struct {
    Py_ssize_t place;
    int which; /* -1: a run of digits */
} Hit;

typedef struct {
    Hit *hits;
    Py_ssize_t count, room;
} Hits;

int needles_init(Needles *self, PyObject *texts, int fold, Py_ssize_t digits);
void needles_free(Needles *self);
/* Both in order of places; what is found of it is the caller's to free, also after -1 with an
   error set. */
int needles_find(const Needles *self, const unsigned char *data, Py_ssize_t size, Hits *texts,
                 Hits *runs);
void hits_free(Hits *hits);
/* Returns a list of (place, number), or NULL with an error set. */
PyObject *needles_list(const Needles *self, const Py_buffer *data);

extern PyMethodDef find_all_functions[];

#endif
