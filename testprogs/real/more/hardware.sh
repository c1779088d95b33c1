# needs: iverilog vvp yosys verilator
printf 'module m(input clk, input [7:0] a, output reg [7:0] q); always @(posedge clk) q <= q + a; endmodule\n' > m.v
printf 'module t; reg clk=0; reg [7:0] a=3; wire [7:0] q; m u(clk,a,q); initial begin u.q=0; repeat(20) begin #1 clk=~clk; end $display("%%d", q); $finish; end endmodule\n' > t.v
iverilog -o t m.v t.v && ./t
echo $?
yosys -q -p 'read_verilog m.v; synth -top m; stat' | grep -c cells
verilator --lint-only -Wall m.v
echo $?
