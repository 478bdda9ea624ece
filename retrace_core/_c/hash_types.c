/* Hash types: hashes that a type makes, as BLAKE2 does, and those that go on from one that was
   made before the request (`begun.copy()`). In a recorded request both keep what they are fed. The
   slot and the definition are exchanged, so that every reference to the type is covered. */
#include "hash_types.h"
#include "hooks.h"

#define MOST 16

typedef struct {
    PyTypeObject *type;
    newfunc made;       /* as it was; NULL where the type makes none by itself */
    PyMethodDef *copy;  /* whose pointer was exchanged, or NULL */
    PyCFunction copied; /* as it was */
} HashType;

static HashType types[MOST];
static int count;

static HashType *known(PyTypeObject *type)
{
    for (int i = 0; i < count; i++)
        if (types[i].type == type) return &types[i];
    return NULL;
}

/* What is fed when one is made, or NULL; a borrowed reference. The count of other options. */
static PyObject *fed(PyObject *args, PyObject *names, int *others)
{
    PyObject *given = PyTuple_GET_SIZE(args) ? PyTuple_GET_ITEM(args, 0) : NULL;
    PyObject *name, *value;
    Py_ssize_t place = 0;
    *others = 0;
    while (names && PyDict_Next(names, &place, &name, &value)) {
        if (PyUnicode_CompareWithASCIIString(name, "data") == 0 ||
            PyUnicode_CompareWithASCIIString(name, "string") == 0)
            given = value;
        else if (PyUnicode_CompareWithASCIIString(name, "usedforsecurity") != 0) ++*others;
    }
    return given;
}

/* Stands for what a begun hash was fed (of its options, too), then for `given`. The line's end
   keeps the first byte of that apart: a secret is found by what is before it, too. */
static PyObject *said_of(PyObject *begun, PyObject *given)
{
    PyObject *said = begun ? PyObject_CallMethod(begun, "digest", NULL) : NULL;
    PyObject *end = said ? PyBytes_FromStringAndSize("\n", 1) : NULL;
    if (end) PyBytes_ConcatAndDel(&said, end);
    PyObject *more = said && given ? PyBytes_FromObject(given) : NULL;
    if (more) PyBytes_ConcatAndDel(&said, more);
    return said;
}

/* What takes the place of a hash, or NULL with no error where it is kept as it is. */
static PyObject *kept(Lane *lane, PyObject *made, PyObject *said, int whole)
{
    PyObject *found = said ? PyObject_CallMethod((PyObject *)lane, "hashing", "OOi", made, said,
                                                 whole)
                           : NULL;
    if (found == made) Py_CLEAR(found);
    PyErr_Clear(); /* out of memory: the application gets the plain one */
    return found;
}

static int begin(PyObject *made, PyTypeObject *type, PyObject *args, PyObject *names)
{
    return !made || (type->tp_init && type->tp_init(made, args, names)) ? -1 : 0;
}

static PyObject *kept_new(HashType *hash, Lane *lane, PyObject *args, PyObject *names)
{
    int others;
    PyObject *given = fed(args, names, &others);
    PyObject *made = hash->made(hash->type, args, names);
    PyObject *said = NULL, *begun = NULL, *nothing = others ? PyTuple_New(0) : NULL;
    if (begin(made, hash->type, args, names)) PyErr_Clear(); /* the plain one says so again */
    else if (!others) said = given ? Py_NewRef(given) : PyBytes_FromStringAndSize(NULL, 0);
    else if (nothing && (begun = hash->made(hash->type, nothing, names)) &&
             !begin(begun, hash->type, nothing, names))
        said = said_of(begun, given);
    PyObject *found = made ? kept(lane, made, said, !others) : NULL;
    PyErr_Clear();
    Py_XDECREF(nothing);
    Py_XDECREF(begun);
    Py_XDECREF(said);
    Py_XDECREF(made);
    return found;
}

static PyObject *hook_new(PyTypeObject *type, PyObject *args, PyObject *names)
{
    HashType *hash = known(type);
    Lane *lane = hash ? lane_asking() : NULL;
    PyObject *found = lane ? kept_new(hash, lane, args, names) : NULL;
    Py_XDECREF(lane);
    if (found) return found;
    /* A subclass has inherited this. What is returned is of the type, and is begun by `type()`. */
    for (PyTypeObject *base = type; !hash && base; base = base->tp_base) hash = known(base);
    return hash ? hash->made(type, args, names) : NULL;
}

static PyObject *hook_copy(PyObject *self, PyObject *unused)
{
    HashType *hash = NULL;
    for (PyTypeObject *base = Py_TYPE(self); !hash && base; base = base->tp_base)
        hash = known(base);
    Lane *lane = lane_asking();
    PyObject *made = hash ? hash->copied(self, unused) : NULL;
    if (lane && made) {
        PyObject *said = said_of(made, NULL);
        PyObject *found = kept(lane, made, said, 0);
        if (found) Py_SETREF(made, found);
        Py_XDECREF(said);
    }
    Py_XDECREF(lane);
    return made;
}

/* Have a type's hashes kept; False where its `copy` is called in another way than is known. */
static PyObject *hook_hash_type(PyObject *module, PyObject *given)
{
    (void)module;
    if (!PyType_Check(given)) return PyErr_Format(PyExc_TypeError, "a type is needed");
    PyTypeObject *type = (PyTypeObject *)given;
    if (known(type)) Py_RETURN_TRUE;
    PyObject *copy = PyDict_GetItemString(type->tp_dict, "copy");
    if (!copy || !Py_IS_TYPE(copy, &PyMethodDescr_Type) || count == MOST) Py_RETURN_FALSE;
    PyMethodDef *def = ((PyMethodDescrObject *)copy)->d_method;
    if (def->ml_flags != METH_NOARGS) Py_RETURN_FALSE;
    HashType *hash = &types[count];
    hash->type = (PyTypeObject *)Py_NewRef(given);
    hash->made = type->tp_new;
    hash->copy = def;
    hash->copied = def->ml_meth;
    count++;
    def->ml_meth = hook_copy;
    if (hash->made) type->tp_new = hook_new;
    PyType_Modified(type);
    Py_RETURN_TRUE;
}

static PyObject *release_hash_types(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    while (count) {
        HashType *hash = &types[--count];
        hash->copy->ml_meth = hash->copied;
        if (hash->made) hash->type->tp_new = hash->made;
        PyType_Modified(hash->type);
        Py_CLEAR(hash->type);
    }
    Py_RETURN_NONE;
}

PyMethodDef hash_type_functions[] = {
    {"hook_hash_type", hook_hash_type, METH_O, "Have what a type hashes kept in requests."},
    {"release_hash_types", release_hash_types, METH_NOARGS, "Leave all types as they were."},
    {NULL, NULL, 0, NULL},
};
