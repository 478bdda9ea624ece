/* Set order: sets of classes, of functions and of a request's tasks are gone through in one order.

   Their hash is their address, which is another one in each process; so is the order in which a
   set has them. Classes and functions come by their names, tasks by when they were spawned. All
   other sets are left alone: what they cost more is a look at their first member. Once the
   start-up is over, classes and functions come so where a lane is, and no set is looked at while
   nothing is recorded or replayed. */
#define PY_SSIZE_T_CLEAN
#include "set_order.h"

#if PY_VERSION_HEX >= 0x030D0000
/* Exported as before, but from then on declared among what is internal. */
PyAPI_FUNC(int) _PySet_NextEntry(PyObject *set, Py_ssize_t *at, PyObject **key, Py_hash_t *hash);
#endif

enum { MOST = 10000 };

static getiterfunc set_iter, frozenset_iter; /* as they were */
static PyTypeObject *task_type;
static PyObject *place_of; /* of a task: a list, which sorts, or None where it has none */
static int starting = 1;

/* ---- the iterator: a list, and the set, which must not change its size meanwhile */

typedef struct {
    PyObject_HEAD
    PyObject *set, *members;
    Py_ssize_t next, size;
} Ordered;

static void ordered_dealloc(Ordered *self)
{
    PyObject_GC_UnTrack(self);
    Py_XDECREF(self->set);
    Py_XDECREF(self->members);
    PyObject_GC_Del(self);
}

static int ordered_traverse(Ordered *self, visitproc visit, void *arg)
{
    Py_VISIT(self->set);
    Py_VISIT(self->members);
    return 0;
}

static PyObject *ordered_next(Ordered *self)
{
    if (!self->set) return NULL;
    if (self->size != PySet_GET_SIZE(self->set)) {
        PyErr_SetString(PyExc_RuntimeError, "Set changed size during iteration");
        self->size = -1; /* and so for good */
        return NULL;
    }
    if (self->next < self->size)
        return Py_NewRef(PyList_GET_ITEM(self->members, self->next++));
    Py_CLEAR(self->set);
    Py_CLEAR(self->members);
    return NULL;
}

static PyObject *ordered_length_hint(Ordered *self, PyObject *unused)
{
    (void)unused;
    int same = self->set && self->size == PySet_GET_SIZE(self->set);
    return PyLong_FromSsize_t(same ? self->size - self->next : 0);
}

static PyMethodDef ordered_methods[] = {
    {"__length_hint__", (PyCFunction)ordered_length_hint, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject OrderedType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "set_iterator",
    .tp_basicsize = sizeof(Ordered),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_dealloc = (destructor)ordered_dealloc,
    .tp_traverse = (traverseproc)ordered_traverse,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = (iternextfunc)ordered_next,
    .tp_methods = ordered_methods,
};

/* ---- the order */

/* Borrowed; what a class's own dictionary says, which runs none of its code. */
static PyObject *text_in(PyObject *dict, const char *name)
{
    PyObject *found = dict ? PyDict_GetItemString(dict, name) : NULL;
    return found && PyUnicode_CheckExact(found) ? found : NULL;
}

static PyObject *class_place(PyObject *class, Py_ssize_t at)
{
    PyTypeObject *type = (PyTypeObject *)class;
    if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE))
        return Py_BuildValue("(ssn)", "", type->tp_name, at);
    PyObject *module = text_in(type->tp_dict, "__module__");
    PyObject *name = ((PyHeapTypeObject *)type)->ht_qualname;
    if (!module) return Py_BuildValue("(sOn)", "", name, at);
    return Py_BuildValue("(OOn)", module, name, at);
}

static PyObject *function_place(PyObject *function, Py_ssize_t at)
{
    PyFunctionObject *its = (PyFunctionObject *)function;
    int line = ((PyCodeObject *)its->func_code)->co_firstlineno;
    PyObject *module = its->func_module;
    if (!module || !PyUnicode_CheckExact(module))
        return Py_BuildValue("(sOin)", "", its->func_qualname, line, at);
    return Py_BuildValue("(OOin)", module, its->func_qualname, line, at);
}

/* New reference; NULL without an error where a member is of another kind, or has no place. */
static PyObject *place(PyObject *member, Py_ssize_t at)
{
    if (PyType_Check(member)) return class_place(member, at);
    if (PyFunction_Check(member)) return function_place(member, at);
    if (!place_of || !Py_IS_TYPE(member, task_type)) return NULL;
    PyObject *found = PyObject_CallOneArg(place_of, member);
    if (found && found != Py_None) return Py_BuildValue("(Nn)", found, at);
    Py_XDECREF(found);
    return NULL;
}

/* New list of the members as the set has them; NULL without an error where it has not as many. */
static PyObject *members_of(PyObject *set, Py_ssize_t size)
{
    PyObject *list = PyList_New(size); /* before they are looked at: it may run finalizers */
    if (!list) return NULL;
    Py_ssize_t at = 0, count = 0;
    PyObject *member;
    Py_hash_t hash;
    if (PySet_GET_SIZE(set) == size)
        while (count < size && _PySet_NextEntry(set, &at, &member, &hash))
            PyList_SET_ITEM(list, count++, Py_NewRef(member));
    if (count == size) return list;
    Py_DECREF(list);
    return NULL;
}

/* New list in order; NULL, perhaps with an error, where there is none. */
static PyObject *in_order(PyObject *set, Py_ssize_t size)
{
    PyObject *members = members_of(set, size);
    PyObject *places = members ? PyList_New(0) : NULL;
    PyTypeObject *kind = members ? Py_TYPE(PyList_GET_ITEM(members, 0)) : NULL;
    int classes = members && PyType_Check(PyList_GET_ITEM(members, 0));
    for (Py_ssize_t i = 0; places && i < size; i++) {
        PyObject *member = PyList_GET_ITEM(members, i);
        int alike = classes ? PyType_Check(member) : Py_IS_TYPE(member, kind);
        PyObject *one = alike ? place(member, i) : NULL;
        if (!one || PyList_Append(places, one)) Py_CLEAR(places);
        Py_XDECREF(one);
    }
    if (places && PyList_Sort(places)) Py_CLEAR(places);
    PyObject *sorted = places ? PyList_New(size) : NULL;
    for (Py_ssize_t i = 0; sorted && i < size; i++) {
        PyObject *one = PyList_GET_ITEM(places, i);
        Py_ssize_t from = PyLong_AsSsize_t(PyTuple_GET_ITEM(one, PyTuple_GET_SIZE(one) - 1));
        PyList_SET_ITEM(sorted, i, Py_NewRef(PyList_GET_ITEM(members, from)));
    }
    Py_XDECREF(places);
    Py_XDECREF(members);
    return sorted;
}

static int is_ordered(PyObject *set)
{
    if (!starting && armed <= 0) return 0;
    Py_ssize_t size = PySet_GET_SIZE(set), at = 0;
    PyObject *first;
    Py_hash_t hash;
    if (size < 2 || size > MOST || !_PySet_NextEntry(set, &at, &first, &hash)) return 0;
    int task = armed > 0 && task_type && Py_IS_TYPE(first, task_type);
    if (!task && !PyType_Check(first) && !PyFunction_Check(first)) return 0;
    if (starting || task) return 1;
    Lane *lane = lane_current(); /* to sort takes a hundred times as long as to go through */
    Py_XDECREF(lane);
    return lane != NULL;
}

static PyObject *iterate(PyObject *set, getiterfunc plain)
{
    if (!is_ordered(set)) return plain(set);
    Py_ssize_t size = PySet_GET_SIZE(set);
    PyObject *members = in_order(set, size);
    Ordered *made = members && size == PySet_GET_SIZE(set)
                        ? PyObject_GC_New(Ordered, &OrderedType)
                        : NULL;
    if (!made) {
        PyErr_Clear();
        Py_XDECREF(members);
        return plain(set);
    }
    made->set = Py_NewRef(set);
    made->members = members;
    made->next = 0;
    made->size = size;
    PyObject_GC_Track(made);
    return (PyObject *)made;
}

static PyObject *hook_set(PyObject *set)
{
    return iterate(set, set_iter);
}

static PyObject *hook_frozenset(PyObject *set)
{
    return iterate(set, frozenset_iter);
}

/* ---- in place */

static void leave(void)
{
    if (PySet_Type.tp_iter == hook_set) PySet_Type.tp_iter = set_iter;
    if (PyFrozenSet_Type.tp_iter == hook_frozenset) PyFrozenSet_Type.tp_iter = frozenset_iter;
}

static PyObject *order_sets(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *task, *places;
    if (!PyArg_ParseTuple(args, "OO:order_sets", &task, &places)) return NULL;
    if (task == Py_None) {
        leave();
        Py_RETURN_NONE;
    }
    if (!PyType_Check(task)) return PyErr_Format(PyExc_TypeError, "a type is needed");
    Py_XSETREF(task_type, (PyTypeObject *)Py_NewRef(task));
    Py_XSETREF(place_of, Py_NewRef(places));
    if (PySet_Type.tp_iter == hook_set) Py_RETURN_NONE;
    set_iter = PySet_Type.tp_iter;
    frozenset_iter = PyFrozenSet_Type.tp_iter;
    PySet_Type.tp_iter = hook_set;
    PyFrozenSet_Type.tp_iter = hook_frozenset;
    Py_RETURN_NONE;
}

static PyObject *order_sets_while_armed(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    starting = 0;
    Py_RETURN_NONE;
}

int set_order_init(void)
{
    return PyType_Ready(&OrderedType);
}

PyMethodDef set_order_functions[] = {
    {"order_sets", order_sets, METH_VARARGS,
     "order_sets(type of tasks, their place): go through sets in order; None, None: leave them."},
    {"order_sets_while_armed", order_sets_while_armed, METH_NOARGS,
     "From now on only while something is recorded or replayed."},
    {NULL, NULL, 0, NULL},
};
