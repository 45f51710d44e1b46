// The headers that the kit holds precompiled; read only to learn where they are.
#include <bits/stdc++.h>
#include <iostream>
