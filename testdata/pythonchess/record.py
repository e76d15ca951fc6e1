"""Records seeded random games of chess from python-chess as a golden file.

    pip install chess==1.11.2
    python testdata/pythonchess/record.py games/chess/testdata/chess.jsonl.gz
    python testdata/pythonchess/record.py FILE --plies 500000    many more plies

The file is gzipped JSON lines, one game a line:
  {"ends", "fen",                       rules and start; fen absent for the usual start
   "moves": "e2e4 ...",                 UCI
   "options": ["e2e4 ...", ...],        legal moves at every position, the last included: UCI, sorted
   "names": ["e4 ...", ...],            SAN, parallel to options
   "fens": ["...", ...],                at every tenth position
   "claims": [312, ...],                by FIDE's rules, the positions on which a draw can be claimed; absent for none
   "end", "result"}                     why and how the game ended: 1-0, 0-1, 1/2-1/2
In all but some of the first hundred games options and names are replaced by
"sums": the CRC-32 of each position's "options|names".
"""

import argparse
import gzip
import io
import json
import pathlib
import random
import zlib

import chess

STARTS = [  # besides the usual one: positions rich in castling, promotion, en passant and endings
    "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1",
    "8/2p5/3p4/KP5r/1R3p1k/8/4P1P1/8 w - - 0 1",
    "r3k2r/Pppp1ppp/1b3nbN/nP6/BBP1P3/q4N2/Pp1P2PP/R2Q1RK1 w kq - 0 1",
    "rnbq1k1r/pp1Pbppp/2p5/8/2B5/8/PPP1NnPP/RNBQK2R w KQ - 1 8",
    "n1n5/PPPk4/8/8/8/8/4Kppp/5N1N b - - 0 1",
    "4k3/pppppppp/8/8/8/8/PPPPPPPP/4K3 w - - 0 1",
    "8/8/4k3/8/8/3QK3/8/8 w - - 90 120",
    "8/8/4k3/1b6/8/3RK3/8/8 b - - 30 80",
    "8/8/3bk3/8/8/3BK3/6p1/8 w - - 0 70",
    "8/4k3/8/2N5/5n2/8/1K5P/8 w - - 3 66",
    "8/6pk/5ppp/3Q4/1Q6/3Q4/1Q6/K7 w - - 0 1",
    "1n2k3/8/2n3n1/8/2n3n1/8/8/4K2R b K - 5 33",
]

ENDS = {"openspiel": (3, 100), "fide": (5, 150)}


def end(board, ends):
    occurrences, plies = ENDS[ends]
    if board.is_checkmate():
        return "checkmate"
    if board.is_stalemate():
        return "stalemate"
    if board.is_insufficient_material():
        return "insufficient material"
    if board.is_repetition(occurrences):
        return f"{occurrences}-fold repetition"
    if board.halfmove_clock >= plies:
        return f"{plies // 2}-move rule"
    return ""


def choose(board, moves, rng, style):
    """Most games are played at random; in some the sides go back and forth
    so that positions repeat."""
    if style and len(board.move_stack) > 1 and rng.random() < 0.8:
        mine = board.move_stack[-2]
        back = chess.Move(mine.to_square, mine.from_square)
        if back in moves:
            return back
    return rng.choice(moves)


def play(ends, fen, style, full, rng):
    board = chess.Board(fen) if fen else chess.Board()
    out = {"ends": ends, "moves": [], "fens": []}
    if fen:
        out["fen"] = fen
    options, names, sums, claims = [], [], [], []
    while True:
        moves = sorted(board.legal_moves, key=chess.Move.uci)
        options.append(" ".join(m.uci() for m in moves))
        names.append(" ".join(board.san(m) for m in moves))
        sums.append(zlib.crc32(f"{options[-1]}|{names[-1]}".encode()))
        if len(board.move_stack) % 10 == 0:
            out["fens"].append(board.fen())
        out["end"] = end(board, ends)
        if out["end"]:
            break
        if ends == "fide" and (board.is_repetition(3) or board.is_fifty_moves()):
            claims.append(len(board.move_stack))
        move = choose(board, moves, rng, style)
        out["moves"].append(move.uci())
        board.push(move)
    out["moves"] = " ".join(out["moves"])
    out.update({"options": options, "names": names} if full else {"sums": sums})
    if claims:
        out["claims"] = claims
    out["result"] = "1/2-1/2" if out["end"] != "checkmate" else "0-1" if board.turn == chess.WHITE else "1-0"
    return out, len(sums) - 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--plies", type=int, default=30000, help="record games until there are so many plies (default 30000)")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng, text, games, plies = random.Random(args.seed), io.StringIO(), 0, 0
    while plies < args.plies:
        fen = None if games % 2 or rng.random() < 0.2 else rng.choice(STARTS)
        full = games < 100 and games % 10 < 2
        game, length = play("fide" if games % 4 > 1 else "openspiel", fen, games % 5 == 0, full, rng)
        games, plies = games + 1, plies + length
        print(json.dumps(game, separators=(",", ":")), file=text)
    args.file.parent.mkdir(parents=True, exist_ok=True)
    args.file.write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))
    print(f"{args.file}: {games} games, {plies} plies, {args.file.stat().st_size} bytes")


if __name__ == "__main__":
    main()
