package prefs

import (
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/agon-rl/agon/games"
)

// Features tells the two answers of a pair by numbers, as many for all pairs.
type Features func(p Pair) (chosen, rejected []float64, err error)

// FeatureNames are the kinds that FindFeatures knows.
var FeatureNames = []string{"auto", "state", "text"}

// FindFeatures returns features of a kind: state, what the seat would see after
// each action; text, hashed words and letters of each answer; auto, the former
// where pairs are of one game that can be opened and replayed.
func FindFeatures(kind string, pairs []Pair) (Features, error) {
	switch kind {
	case "state":
		return StateFeatures(), nil
	case "text":
		return TextFeatures(textSize), nil
	case "auto":
		if state := StateFeatures(); tellAll(state, pairs) {
			return state, nil
		}
		return TextFeatures(textSize), nil
	}
	return nil, fmt.Errorf("prefs: features=%s: expected auto, state or text", kind)
}

// tellAll says whether features can tell all pairs, by as many numbers each.
func tellAll(features Features, pairs []Pair) bool {
	size := 0
	for i, p := range pairs {
		x, _, err := features(p)
		if err != nil || i > 0 && len(x) != size {
			return false
		}
		size = len(x)
	}
	return true
}

// textSize is how many places words are hashed to.
const textSize = 64

// StateFeatures tells an answer by the tensor that the seat sees once it is
// played. It needs pairs of games, all with the same tensor, and remembers what it
// has seen. It is not for concurrent use.
func StateFeatures() Features {
	type choice struct {
		place  string
		action int32
	}
	known, rules := map[choice][]float64{}, rulebook{}
	after := func(p Pair, action int32) ([]float64, error) {
		key := choice{p.task(), action}
		if x, ok := known[key]; ok {
			return x, nil
		}
		game, err := rules.of(p.Game)
		if err != nil {
			return nil, err
		}
		s, err := p.decision(game)
		if err != nil {
			return nil, err
		}
		if err := s.Apply(games.Action(action)); err != nil {
			return nil, fmt.Errorf("prefs: %s after %v: %w", p.Game, p.History, err)
		}
		tensor := make([]float32, game.Info().TensorSize())
		s.Observe(games.Seat(p.Seat), tensor)
		x := make([]float64, len(tensor))
		for i, v := range tensor {
			x[i] = float64(v)
		}
		known[key] = x
		return x, nil
	}
	return func(p Pair) (chosen, rejected []float64, err error) {
		if p.Game == "" {
			return nil, nil, errors.New("prefs: features=state: a pair is of no game; use features=text")
		}
		if chosen, err = after(p, p.ChosenAction); err != nil {
			return nil, nil, err
		}
		rejected, err = after(p, p.RejectedAction)
		return chosen, rejected, err
	}
}

// TextFeatures tells an answer by its words and runs of three letters, hashed to so
// many places (Weinberger et al. 2009, arXiv 0902.2206), and its length.
func TextFeatures(places int) Features {
	hashed := func(text string) []float64 {
		x := make([]float64, places+1)
		add := func(what string) {
			h := fnv.New64a()
			_, _ = h.Write([]byte(what))
			sum := h.Sum64()
			sign := 1.0
			if sum>>63 == 1 {
				sign = -1
			}
			x[sum%uint64(places)] += sign
		}
		for _, word := range strings.Fields(text) {
			add("word " + word)
		}
		letters := []rune(text)
		for i := 0; i+3 <= len(letters); i++ {
			add("letters " + string(letters[i:i+3]))
		}
		x[places] = float64(utf8.RuneCountInString(text)) / 100
		return x
	}
	return func(p Pair) (chosen, rejected []float64, err error) { return hashed(p.Chosen), hashed(p.Rejected), nil }
}

// lettersThat is the share of a text's letters that meet a test.
func lettersThat(text string, meet func(rune) bool) float64 {
	n, met := 0, 0
	for _, r := range text {
		if n++; meet(r) {
			met++
		}
	}
	return float64(met) / float64(max(1, n))
}

func isMark(r rune) bool { return unicode.IsPunct(r) || unicode.IsSymbol(r) }
