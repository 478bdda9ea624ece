/* retrace_core._native: lanes, the typed encoder, and the clock and entropy hooks. */
#include "find_all.h"
#include "finder.h"
#include "hard_events.h"
#include "hash_types.h"
#include "hooks.h"
#include "lane_hook.h"
#include "put_file.h"
#include "set_order.h"
#include "texts_at.h"
#include "watch.h"

#if PY_VERSION_HEX < 0x030B0000 || PY_VERSION_HEX >= 0x030E0000
#error "retrace_core._native is written for CPython 3.11 to 3.13"
#endif
#ifdef Py_GIL_DISABLED
#error "retrace_core._native needs the GIL"
#endif

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "retrace_core._native",
    .m_doc = "Lanes, the typed encoder, and the clock and entropy hooks, in C.",
    .m_size = -1,
};

PyMODINIT_FUNC PyInit__native(void)
{
    PyObject *self = PyModule_Create(&module);
    if (!self) return NULL;
    if (encoder_init() || lanes_init(self) || hooks_init(self) || finder_init(self) ||
        lane_hook_init(self) || set_order_init() ||
        PyModule_AddFunctions(self, lane_functions) ||
        PyModule_AddFunctions(self, hook_functions) ||
        PyModule_AddFunctions(self, put_file_functions) ||
        PyModule_AddFunctions(self, find_all_functions) ||
        PyModule_AddFunctions(self, texts_at_functions) ||
        PyModule_AddFunctions(self, hard_events_functions) ||
        PyModule_AddFunctions(self, hash_type_functions) ||
        PyModule_AddFunctions(self, set_order_functions) ||
        PyModule_AddFunctions(self, watch_functions)) {
        Py_DECREF(self);
        return NULL;
    }
    return self;
}
