#include <bits/stdc++.h>
using namespace std;
struct A {};

int main() {
    vector<A> all(3);
    sort(all.begin(), all.end());
    cout << A{};
    unique_ptr<int> p = make_unique<string>(1);
}
