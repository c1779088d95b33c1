# needs: mono mcs
cat > a.cs <<EOF
using System; using System.Threading; using System.Collections.Generic;
class A { static int n; static object o = new object();
 static void Main() { var l = new List<Thread>();
  for (int i = 0; i < 4; i++) { var t = new Thread(() => { for (int j = 0; j < 20000; j++) { var s = new byte[100]; lock (o) n++; } }); t.Start(); l.Add(t); }
  foreach (var t in l) t.Join();
  GC.Collect(); Console.WriteLine(n); } }
EOF
mcs a.cs && mono a.exe
echo $?
