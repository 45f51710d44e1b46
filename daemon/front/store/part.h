// The part of a batch that one call of the store is: it joins the caller's batch, or makes one of
// its own, and ends as a whole.
#pragma once

#include "daemon/front/store/store.h"

namespace cloister::store {

class Store::Part {
public:
    explicit Part(Store& store);
    ~Part();
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;
    void done();

private:
    Store& store_;
    bool own_;
    bool done_ = false;
};

} // namespace cloister::store
