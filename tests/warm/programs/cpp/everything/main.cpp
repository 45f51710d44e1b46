#include <bits/stdc++.h>
using namespace std;

int main(int count, char** words) {
    int n, m;
    cin >> n >> m;
    vector<int> all(5);
    iota(all.begin(), all.end(), n);
    cout << accumulate(all.begin(), all.end(), m) << words[count - 1] << __LINE__ << __FILE__ << endl;
    ranges::sort(all, greater{});
    for (int one : all | views::take(2)) cout << one << " ";
}
