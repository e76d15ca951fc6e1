package rating

// Takeovers are the steps of AlphaRank's population: [i][j] is the chance that one
// mutant of j takes over a population of i, in units of 1/members, which it would be
// if both were paid the same; 0 for i = j.
func Takeovers(payoff [][]float64, alpha float64, members int) [][]float64 {
	out := make([][]float64, len(payoff))
	for from := range payoff {
		out[from] = make([]float64, len(payoff))
		for to := range payoff {
			if to != from {
				out[from][to] = takeover(payoff[to][from]-payoff[from][to], alpha, members) * float64(members)
			}
		}
	}
	return out
}
