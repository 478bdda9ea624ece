/* Finder: what is looked for again and again, prepared once; and what is found, text by text. */
#include "finder.h"

#include "find_all.h"
#include "texts_at.h"

#include <string.h>

#define MOST_LENGTH_BYTES 4 /* those before a text may look like digits of a run */

typedef struct {
    PyObject_HEAD
    Needles needles;
} Finder;

static PyObject *
finder_new(PyTypeObject *type, PyObject *args, PyObject *names)
{
    PyObject *texts;
    int fold;
    Py_ssize_t digits;
    if (names != NULL && PyDict_GET_SIZE(names) > 0) {
        PyErr_SetString(PyExc_TypeError, "Finder takes no keyword arguments");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "O!pn", &PyTuple_Type, &texts, &fold, &digits)) {
        return NULL;
    }
    Finder *self = (Finder *)type->tp_alloc(type, 0);
    if (self != NULL && needles_init(&self->needles, texts, fold, digits) < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static void
finder_dealloc(PyObject *self)
{
    needles_free(&((Finder *)self)->needles);
    Py_TYPE(self)->tp_free(self);
}

/* Takes the next hit of both, by the place that it is looked up at. */
static int
next_hit(const Hits *texts, Py_ssize_t *text, const Hits *runs, Py_ssize_t *run, Py_ssize_t begin,
         Py_ssize_t end, Hit *hit, Py_ssize_t *place)
{
    while (*text < texts->count && texts->hits[*text].place < begin) {
        ++*text;
    }
    while (*run < runs->count && runs->hits[*run].place < begin) {
        ++*run;
    }
    int more_texts = *text < texts->count && texts->hits[*text].place < end;
    int more_runs = *run < runs->count && runs->hits[*run].place < end;
    if (more_runs && (!more_texts || runs->hits[*run].place + MOST_LENGTH_BYTES <=
                                         texts->hits[*text].place)) {
        *hit = runs->hits[(*run)++];
        *place = hit->place + MOST_LENGTH_BYTES;
        return 1;
    }
    if (more_texts) {
        *hit = texts->hits[(*text)++];
        *place = hit->place;
    }
    return more_texts;
}

/* Appends [region, begin, end, role, hits] for each text of a region that has hits. */
static int
look_into(PyObject *found, Py_ssize_t number, Walk *walk, const Hits *texts, Py_ssize_t *text,
          const Hits *runs, Py_ssize_t *run, Py_ssize_t begin)
{
    Text here = {0};
    Hit hit;
    PyObject *group = NULL; /* borrowed: of the text that we are in */
    Py_ssize_t place, end = walk->end;
    int more = 1;
    while (next_hit(texts, text, runs, run, begin, end, &hit, &place)) {
        while (more && place >= here.end) {
            group = NULL;
            more = walk_next(walk, &here);
            if (more < 0) {
                return -1;
            }
        }
        if (!more || place < here.begin) {
            continue;
        }
        if (group == NULL) {
            group = PyList_New(0);
            PyObject *one = group == NULL ? NULL
                                          : Py_BuildValue("(nnniN)", number, here.begin, here.end,
                                                          here.role, group);
            if (append_new(found, one) < 0) {
                return -1;
            }
        }
        if (append_new(group, Py_BuildValue("(ni)", hit.place, hit.which)) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
look_into_all(PyObject *found, PyObject *regions, const Py_buffer *data, const Hits *texts,
              const Hits *runs)
{
    Py_ssize_t text = 0, run = 0;
    for (Py_ssize_t n = 0; n < PySequence_Fast_GET_SIZE(regions); n++) {
        PyObject *region = PySequence_Fast_GET_ITEM(regions, n);
        if (!PyTuple_Check(region) || PyTuple_GET_SIZE(region) < 2) {
            PyErr_SetString(PyExc_TypeError, "a region is (begin, end, ...)");
            return -1;
        }
        Py_ssize_t begin = PyLong_AsSsize_t(PyTuple_GET_ITEM(region, 0));
        Py_ssize_t end = PyLong_AsSsize_t(PyTuple_GET_ITEM(region, 1));
        if ((begin == -1 || end == -1) && PyErr_Occurred()) {
            return -1;
        }
        if (begin < 0 || end > data->len || begin > end) {
            PyErr_SetString(PyExc_ValueError, "no MessagePack: it is not there");
            return -1;
        }
        Walk walk;
        walk_begin(&walk, data->buf, begin, end);
        if (look_into(found, n, &walk, texts, &text, runs, &run, begin) < 0) {
            return -1;
        }
    }
    return 0;
}

static PyObject *
finder_in_texts(PyObject *self, PyObject *args)
{
    Py_buffer data;
    PyObject *given;
    if (!PyArg_ParseTuple(args, "y*O", &data, &given)) {
        return NULL;
    }
    Hits texts = {0}, runs = {0};
    PyObject *regions = PySequence_Fast(given, "regions are a sequence");
    PyObject *found = regions == NULL ? NULL : PyList_New(0);
    if (found != NULL &&
        (needles_find(&((Finder *)self)->needles, data.buf, data.len, &texts, &runs) < 0 ||
         look_into_all(found, regions, &data, &texts, &runs) < 0)) {
        Py_CLEAR(found);
    }
    hits_free(&texts);
    hits_free(&runs);
    Py_XDECREF(regions);
    PyBuffer_Release(&data);
    return found;
}

static PyObject *
finder_find(PyObject *self, PyObject *args)
{
    Py_buffer data;
    if (!PyArg_ParseTuple(args, "y*", &data)) {
        return NULL;
    }
    PyObject *found = needles_list(&((Finder *)self)->needles, &data);
    PyBuffer_Release(&data);
    return found;
}

static PyMethodDef finder_methods[] = {
    {"find", finder_find, METH_VARARGS, "find(data): as find_all does."},
    {"in_texts", finder_in_texts, METH_VARARGS,
     "in_texts(data, regions): what is found in texts, as (number of the region, begin, end, role,\n"
     "[(place, number), ...]) for each text, with those of texts_at.\n\n"
     "A run of digits may seem to begin before its text; it is told where it seems to begin.\n"
     "Regions are (begin, end, ...), in order. ValueError: one is no MessagePack."},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject FinderType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "retrace_core._native.Finder",
    .tp_doc = "Finder(texts, fold, digits): looks for what find_all does, prepared.",
    .tp_basicsize = sizeof(Finder),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = finder_new,
    .tp_dealloc = finder_dealloc,
    .tp_methods = finder_methods,
};

int
finder_init(PyObject *module)
{
    if (PyType_Ready(&FinderType) < 0) {
        return -1;
    }
    return PyModule_AddObjectRef(module, "Finder", (PyObject *)&FinderType);
}
