package rating_test

import (
	"testing"

	"github.com/agon-rl/agon/arena/rating"
)

// BenchmarkFit rates four players from the games of every two.
func BenchmarkFit(b *testing.B) {
	var records []rating.Record
	for i := range 4 {
		for j := range 4 {
			if i != j {
				records = append(records, rating.Record{First: i, Second: j, Wins: float64(10 + i), Draws: 5, Losses: float64(10 + j)})
			}
		}
	}
	for b.Loop() {
		if _, err := (rating.Model{Players: 4, Anchor: -1, Seat: true}).Fit(records); err != nil {
			b.Fatal(err)
		}
	}
}
