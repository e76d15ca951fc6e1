package solve_test

import (
	"context"
	"fmt"

	"github.com/agon-rl/agon/games"
	_ "github.com/agon-rl/agon/games/standard"
	"github.com/agon-rl/agon/solve"
)

// A game is compiled once; then its solvers and its measures are exact.
func Example() {
	ctx := context.Background()
	game, err := games.New("kuhn_poker")
	if err != nil {
		fmt.Println(err)
		return
	}
	tree, err := solve.Compile(ctx, game, solve.DefaultNodes)
	if err != nil {
		fmt.Println(err)
		return
	}
	uniform, err := tree.Measure(tree.Uniform())
	if err != nil {
		fmt.Println(err)
		return
	}
	solver := solve.NewCFR(tree, solve.Variant{Plus: true, Average: 1}) // CFR+
	if err := solver.Iterate(ctx, 1000); err != nil {
		fmt.Println(err)
		return
	}
	report, err := tree.Measure(solver.Strategy())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("uniform play: exploitability %.4f\n", uniform.Exploitability)
	fmt.Printf("after CFR+:   exploitability %.4f, worth %.3f to the first seat\n", report.Exploitability, report.Value[0])
	// Output:
	// uniform play: exploitability 0.4583
	// after CFR+:   exploitability 0.0001, worth -0.056 to the first seat
}

// Where nothing is hidden and nothing is drawn, minimax is perfect play.
func ExampleMinimax() {
	ctx := context.Background()
	game, err := games.New("tic_tac_toe")
	if err != nil {
		fmt.Println(err)
		return
	}
	perfect, err := solve.Minimax(ctx, game)
	if err != nil {
		fmt.Println(err)
		return
	}
	value, err := perfect.Value(ctx, game.Start())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("tic-tac-toe is worth", value)
	// Output: tic-tac-toe is worth 0
}

// The equilibrium of a matrix game, by a linear program: what the row player gets, and
// what both play.
func ExampleMatrixGame() {
	value, row, column, err := solve.MatrixGame([][]float64{{0, -1, 2}, {1, 0, -1}, {-2, 1, 0}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.2f %.2f %.2f\n", value, row, column)
	// Output: 0.00 [0.25 0.50 0.25] [0.25 0.50 0.25]
}

// The updates of Nash learning run exactly on matrix games, by their names.
func ExampleParseDynamics() {
	ctx := context.Background()
	game, err := games.New("matrix(soft_rps)")
	if err != nil {
		fmt.Println(err)
		return
	}
	matrix, _, err := solve.MatrixOf(ctx, game)
	if err != nil {
		fmt.Println(err)
		return
	}
	start, _, err := solve.ParseDynamics("egpo(beta=0.1,reference=random)")
	if err != nil {
		fmt.Println(err)
		return
	}
	dynamics, err := start(matrix)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := dynamics.Iterate(ctx, 20); err != nil {
		fmt.Println(err)
		return
	}
	report, err := dynamics.Measure(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("after %d iterations and %d queries: gap %.4f, KL %.4f\n", report.Iteration, report.Queries, report.Gap, report.KL)
	// Output: after 20 iterations and 40 queries: gap 0.1880, KL 0.0279
}
