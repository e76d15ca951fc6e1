package policy

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/gomlx/compute"

	"github.com/agon-rl/agon/games"
)

// Description says which network some weights belong to. It travels in the
// weights file, so that the file is a policy by itself.
type Description struct {
	Version int      `json:"version"`
	Game    string   `json:"game"`
	Arch    Arch     `json:"arch"`
	Keys    []string `json:"keys,omitempty"` // a table's information states, in the order of its rows
}

const fileVersion = 1

// SaveNetwork writes a network's weights and description.
func SaveNetwork(out io.Writer, d Description, w *Weights) error {
	d.Version = fileVersion
	text, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("describing the network: %w", err)
	}
	return WriteWeights(out, w, map[string]string{"agon": string(text)})
}

// ReadNetwork reads what SaveNetwork wrote.
func ReadNetwork(in io.Reader) (Description, *Weights, error) {
	w, meta, err := ReadWeights(in)
	if err != nil {
		return Description{}, nil, err
	}
	var d Description
	if err := json.Unmarshal([]byte(meta["agon"]), &d); err != nil {
		return d, nil, fmt.Errorf("reading weights: the file does not describe its network: %w", err)
	}
	if d.Version != fileVersion {
		return d, nil, fmt.Errorf("reading weights: the file has version %d, this program reads version %d", d.Version, fileVersion)
	}
	return d, w, nil
}

// Model prepares the network that the description names.
func (d Description) Model(backend compute.Backend, game games.Game) (*Model, error) {
	info := game.Info()
	if info.Name != d.Game {
		return nil, fmt.Errorf("the network plays %s, not %s", d.Game, info.Name)
	}
	return NewModel(backend, info, d.Arch, d.encoder(info))
}

func (d Description) encoder(info games.Info) Encoder {
	if d.Arch.Kind == "table" {
		return NewRows(d.Keys)
	}
	return NewTensors(info)
}
