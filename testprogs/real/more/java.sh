# needs: java javac
cat >A.java <<'X'
import java.util.concurrent.*; public class A{ public static void main(String[] a) throws Exception{ ExecutorService e=Executors.newFixedThreadPool(8); long s=0; var l=new java.util.ArrayList<Future<Integer>>(); for(int i=0;i<100;i++){final int k=i; l.add(e.submit(()->{ int[] q=new int[100000]; for(int j=0;j<q.length;j++) q[j]=j*k; return q[99]; }));} for(var f:l) s+=f.get(); e.shutdown(); System.out.println(s); System.gc(); } }
X
javac A.java && java A
