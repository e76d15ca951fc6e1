package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/agon-rl/agon/games"
	"github.com/agon-rl/agon/policy/backend"
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

// ReadNetwork reads what SaveNetwork wrote, the weights to a device.
func ReadNetwork(device backend.Backend, in io.Reader) (Description, *Weights, error) {
	w, meta, err := ReadWeights(device, in)
	if err != nil {
		return Description{}, nil, err
	}
	d, err := described(meta)
	if err != nil {
		return d, nil, errors.Join(err, w.Close())
	}
	return d, w, nil
}

// ReadDescription reads which network a file of weights holds, and no weights.
func ReadDescription(in io.Reader) (Description, error) {
	_, meta, err := readHeader(in)
	if err != nil {
		return Description{}, fmt.Errorf("reading weights: %w", err)
	}
	return described(meta)
}

func described(meta map[string]string) (d Description, err error) {
	if err := json.Unmarshal([]byte(meta["agon"]), &d); err != nil {
		return d, fmt.Errorf("reading weights: the file does not describe its network: %w", err)
	}
	if d.Version != fileVersion {
		return d, fmt.Errorf("reading weights: the file has version %d, this program reads version %d", d.Version, fileVersion)
	}
	return d, nil
}

// Model prepares the network that the description names.
func (d Description) Model(device backend.Backend, game games.Game) (*Model, error) {
	info := game.Info()
	if info.Name != d.Game {
		return nil, fmt.Errorf("the network plays %s, not %s", d.Game, info.Name)
	}
	return NewModel(device, info, d.Arch, d.encoder(info))
}

func (d Description) encoder(info games.Info) Encoder {
	if d.Arch.Kind == "table" {
		return NewRows(d.Keys)
	}
	return NewTensors(info)
}
