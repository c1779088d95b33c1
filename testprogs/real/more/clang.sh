# needs: clang++
echo '#include <vector>
int main(){ std::vector<int> v{1,2,3}; return v.size()-3; }' > a.cc
clang++ -O2 a.cc -o a && ./a
echo $?
