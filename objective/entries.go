package objective

var (
	fixed    = []string{"reference"}
	previous = []string{"previous policy"}
)

const (
	fromTRL    = "TRL 1.16's own code, recorded and equal"
	fromPaper  = "the paper's equation"
	fromCode   = "the authors' released code"
	fromMemory = "from memory of the paper: not checked against its text"
)

// entries are all objectives.
var entries = []*Entry{
	{
		Name: "dpo", Title: "Direct Preference Optimization", ArXiv: "2305.18290", Aliases: []string{"sigmoid", "2305.18290", "online-dpo"},
		Family: "pair", References: fixed, Source: fromTRL,
		Notes:  []string{"TRL's sigmoid took label_smoothing until 0.x and ignores it since 1.0; here smoothing makes it cdpo"},
		params: difference(),
	},
	{
		Name: "cdpo", Title: "Conservative DPO: a note on DPO with noisy preferences (Mitchell 2023)", Aliases: []string{"conservative-dpo"},
		Family: "pair", References: fixed, Source: fromPaper,
		Equal:  []string{"dpo(smoothing=ε)", "mcts-dpo and osp with one label for all pairs"},
		params: difference().where("smoothing", 0.1),
	},
	{
		Name: "robust-dpo", Title: "Provably Robust DPO", ArXiv: "2403.00409", Aliases: []string{"robust", "rdpo", "2403.00409"},
		Family: "pair", References: fixed, Source: fromTRL,
		Equal:  []string{"dpo where smoothing=0"},
		params: difference().where("smoothing", 0.1), pair: Pair{Shape: "robust"},
	},
	{
		Name: "ipo", Title: "Identity Preference Optimization (ΨPO)", ArXiv: "2310.12036", Aliases: []string{"2310.12036"},
		Family: "pair", References: fixed, Source: fromTRL,
		Notes:  []string{"divided by length as TRL does; normalize=false is the paper's equation 17 as it stands"},
		Equal:  []string{"with normalize=false: online-ipo at target 1, inpo with all of its base on one reference"},
		params: append(difference(pBeta.as("beta", "", "tau")), pNormalize), pair: Pair{Shape: "ipo"},
	},
	{
		Name: "hinge", Title: "SLiC-HF's rank calibration as a pair loss", ArXiv: "2305.10425", Aliases: []string{"slic", "slic-hf", "2305.10425"},
		Family: "pair", References: fixed, Source: fromTRL, params: difference(), pair: Pair{Shape: "hinge"},
	},
	{
		Name: "sigmoid-norm", Title: "Length-normalised DPO (Tülu 3)", ArXiv: "2411.15124", Aliases: []string{"ln-dpo", "2411.15124"},
		Family: "pair", References: fixed, Source: fromTRL, params: difference(), pair: Pair{PerToken: true},
	},
	{
		Name: "exo", Title: "Efficient Exact Optimization", ArXiv: "2402.00856", Aliases: []string{"exo-pair", "2402.00856"},
		Family: "pair", References: fixed, Source: fromTRL,
		Notes:  []string{"smoothing must be more than 0; TRL up to 0.19 took 1e-3 for 0: trl=0.19"},
		params: append(difference(), pTRL).where("smoothing", 1e-3), pair: Pair{Shape: "exo"},
	},
	{
		Name: "discopop", Title: "DiscoPOP: discovering preference optimization algorithms", ArXiv: "2406.08414", Aliases: []string{"2406.08414"},
		Family: "pair", References: fixed, Source: fromTRL, params: difference(pBeta, pTau), pair: Pair{Shape: "discopop"},
	},
	{
		Name: "f-dpo", Title: "f-DPO: beyond reverse KL", ArXiv: "2309.16240", Aliases: []string{"fdpo", "2309.16240"},
		Family: "pair", References: fixed, Source: fromTRL,
		Notes: []string{
			"alpha_divergence_coef is TRL's setting before 1.0, whose α is 1 − today's f_alpha_divergence_coef",
			"any loss of a difference takes divergence",
		},
		Equal:  []string{"dpo where divergence=reverse_kl, or alpha with divergence_alpha=1", "divergence=forward_kl is alpha with divergence_alpha=0"},
		params: difference(pBeta, pDivergence, pDivergenceAlpha).whose("divergence", "js"),
	},
	{
		Name: "gpo-generalized", Title: "Generalized Preference Optimization: convex losses of the scaled log-ratio", ArXiv: "2402.05749", Aliases: []string{"2402.05749", "generalized-preference-optimization"},
		Family: "pair", References: fixed, Source: fromMemory,
		Equal:  []string{"convex=logistic is dpo", "convex=hinge is hinge", "convex=square is β² times ipo(beta=β/2,normalize=false)"},
		params: difference(pBeta, pConvex).whose("convex", "square"),
	},
	{
		Name: "simpo", Title: "SimPO: a reference-free reward", ArXiv: "2405.14734", Aliases: []string{"2405.14734"},
		Family: "pair", Source: fromTRL,
		Notes:  []string{"TRL's CPOTrainer defaults to beta=0.1, simpo_gamma=0.5, cpo_alpha=1; the paper's are β = 2, γ = 1, no imitation"},
		Equal:  []string{"alphapo where alpha=0", "tpo-l without its third answer"},
		params: append(difference(pBeta, pGamma), pCurve.as("curve", "", "alphapo_alpha")).where("beta", 2).where("gamma", 1), pair: Pair{Free: true, PerToken: true},
	},
	{
		Name: "alphapo", Title: "AlphaPO: the reward's shape matters", ArXiv: "2501.03884", Aliases: []string{"2501.03884"},
		Family: "pair", Source: fromTRL, Equal: []string{"simpo as alpha → 0"},
		params: params{pBeta, pCurve, pGamma, pSmoothing, pSFT, pSFTBy}.where("beta", 2.5).where("alpha", 0.25).where("gamma", 0.25), pair: Pair{Free: true, PerToken: true},
	},
	{
		Name: "cpo", Title: "Contrastive Preference Optimization", ArXiv: "2401.08417", Aliases: []string{"2401.08417"},
		Family: "terms", Source: fromTRL,
		Notes:  []string{"imitation is over all chosen tokens of the batch, as in TRL"},
		params: params{pBeta, pSFT, pSmoothing, pCurve, pSFTBy, pLoss("the preference's shape", "sigmoid", "hinge")}.where("sft", 1).whose("sft_by", "tokens"), pair: Pair{Free: true},
	},
	{
		Name: "orpo", Title: "ORPO: odds ratios without a reference", ArXiv: "2403.07691", Aliases: []string{"2403.07691"},
		Family: "terms", Source: fromTRL,
		Notes:  []string{"TRL weighs the odds by beta (the paper's λ) and imitates with weight 1, over all chosen tokens of the batch and the prompt's; here over the answer's"},
		params: params{pOdds, pSFT, pSFTBy}.where("sft", 1).whose("sft_by", "tokens"), pair: Pair{Beta: 1, Link: "odds", Free: true, PerToken: true},
	},
	{
		Name: "kto", Title: "Kahneman-Tversky Optimization", ArXiv: "2402.01306", Aliases: []string{"2402.01306"},
		Family: "batch", References: fixed, Source: fromTRL,
		Notes: []string{
			"the mean is over answers, as in TRL: a pair counts half of its two losses",
			"z₀ is the mean log-ratio of the third answers, at least 0, and 0 where there is none; kl=… sets it",
		},
		Equal:  []string{"apo-zero-unpaired where z₀ = 0"},
		params: params{pBeta, pDesirable, pUndesirable, pKL, pBase}, pair: Pair{Shape: "kto", DeltaOf: "extra"},
	},
	{
		Name: "bco", Title: "Binary Classifier Optimization", ArXiv: "2404.04656", Aliases: []string{"bco-pair", "2404.04656"},
		Family: "batch", References: fixed, Source: fromTRL,
		Notes:  []string{"TRL lost the reward shift δ in 1.0; trl=0.19 takes it from the batch, which is what its running mean is after one"},
		params: params{pBeta, pDelta, pTRL, pLDAlpha, pBase}, pair: Pair{Shape: "bco"},
	},
	{
		Name: "nca", Title: "Noise Contrastive Alignment, of pairs", ArXiv: "2402.05369", Aliases: []string{"nca-pair", "2402.05369"},
		Family: "separable", References: fixed, Source: fromTRL, Equal: []string{"nca-list of two answers whose scores lie far apart"},
		params: params{pBeta, pLDAlpha, pBase}, pair: Pair{Shape: "nca"},
	},
	{
		Name: "apo-zero", Title: "Anchored Preference Optimization: the chosen answer up, the rejected down", ArXiv: "2408.06266",
		Family: "separable", References: fixed, Source: fromTRL, Equal: []string{"2 × apo-zero-unpaired"}, params: params{pBeta, pLDAlpha, pBase}, pair: Pair{Shape: "apo-zero"},
	},
	{
		Name: "apo-zero-unpaired", Title: "Anchored Preference Optimization of answers one by one", ArXiv: "2408.06266",
		Family: "separable", References: fixed, Source: fromTRL, Notes: []string{"the mean is over answers, as in TRL's KTOTrainer"},
		Equal:  []string{"kto where z₀ = 0"},
		params: params{pBeta, pBase}, pair: Pair{Shape: "apo-zero", Scale: 0.5},
	},
	{
		Name: "apo-down", Title: "Anchored Preference Optimization: both down, the rejected more", ArXiv: "2408.06266",
		Family: "separable", References: fixed, Source: fromTRL, params: params{pBeta, pLDAlpha, pBase}, pair: Pair{Shape: "apo-down"},
	},
	{
		Name: "aot", Title: "Alignment via Optimal Transport, paired", ArXiv: "2406.05882", Aliases: []string{"2406.05882"},
		Family: "batch", References: fixed, Source: fromTRL,
		Notes:  []string{"losses stand in the sorted order; TRL's aot kept this meaning in all versions"},
		Equal:  []string{"cdpo where the batch is one pair"},
		params: params{pBeta, pSmoothing, pLDAlpha, pBase}, pair: Pair{Shape: "aot"},
	},
	{
		Name: "aot-unpaired", Title: "Alignment via Optimal Transport, unpaired", ArXiv: "2406.05882", Aliases: []string{"aot-pair"},
		Family: "batch", References: fixed, Source: fromTRL,
		Notes:  []string{"TRL up to 0.x called this aot_pair; losses stand in the sorted order"},
		Equal:  []string{"cdpo where the batch is one pair"},
		params: params{pBeta, pSmoothing, pLDAlpha, pBase}, pair: Pair{Shape: "aot-unpaired"},
	},
	{
		Name: "sft", Title: "Imitation of the chosen answers", Family: "terms", Source: fromTRL,
		params: params{pSFT.as("weight", "its weight"), pSFTBy}.where("weight", 1).whose("sft_by", "tokens"), pair: Pair{Shape: "sft", Free: true},
	},
	{
		Name: "mpo", Title: "Mixed Preference Optimization: dpo, bco and imitation", ArXiv: "2411.10442", Aliases: []string{"2411.10442"},
		Family: "terms", References: fixed, Source: "TRL 1.16's loss_weights [0.8, 0.2, 1.0], recorded and equal",
		params: params{pBeta, pPart("preference", "the weight of dpo", 0, 0.8), pPart("quality", "the weight of bco", 1, 0.2), pPart("generation", "the weight of sft", 2, 1)}, pair: Pair{Parts: []Part{
			{Pair: Pair{Name: "dpo", Shape: "sigmoid", Scale: 1}}, {Pair: Pair{Name: "bco", Shape: "bco", Scale: 1}},
			{Pair: Pair{Name: "sft", Shape: "sft", Free: true, SFT: 1, SFTBy: "tokens"}},
		}},
	},
	{
		Name: "irpo", Title: "Iterative Reasoning Preference Optimization: dpo and imitation per token", ArXiv: "2404.19733", Aliases: []string{"iterative-rpo", "2404.19733"},
		Family: "terms", References: fixed, Source: fromPaper,
		Notes:  []string{"TRL up to 0.x calls the weight rpo_alpha and imitates over all chosen tokens of the batch: sft_by=tokens"},
		params: difference(pBeta, pSFT).where("sft", 1),
	},
	{
		Name: "mcts-dpo", Title: "Monte Carlo tree search boosts reasoning via iterative preference learning", ArXiv: "2405.00451", Aliases: []string{"2405.00451"},
		Family: "pair", References: fixed, Source: fromPaper, Equal: []string{"cdpo with ε = min(N_l/(N_w+N_l), ½)"}, params: difference(), pair: Pair{Label: "visits"},
	},
	{
		Name: "step-apo", Title: "Step-level Advantage Preference Optimization (critical plan step learning)", ArXiv: "2409.08642", Aliases: []string{"cpl", "2409.08642"},
		Family: "pair", References: fixed, Source: fromPaper, Equal: []string{"odpo with margin α·(Q_w − Q_l)", "dpo where alpha=0"},
		params: difference().where("beta", 0.3).where("alpha", 1),
	},
	{
		Name: "soft-dpo", Title: "Agent Q: labels by values, P ∝ σ(Q_w − Q_l)", ArXiv: "2408.07199", Aliases: []string{"agent-q", "2408.07199"},
		Family: "pair", References: fixed, Source: fromPaper, Equal: []string{"dno with previous as reference"},
		params: difference(pBeta, pTemperature).where("beta", 1), pair: Pair{Label: "q"},
	},
	{
		Name: "odpo", Title: "DPO with an offset", ArXiv: "2402.10571", Aliases: []string{"2402.10571", "offset-dpo"},
		Family: "pair", References: fixed, Margin: true, Source: fromMemory, Notes: []string{"the offset is each pair's margin, such as α·log(score_w − score_l)"},
		Equal:  []string{"dpo where margin=0"},
		params: difference(),
	},
	{
		Name: "osp", Title: "Online Self-Preferring: labels by strength of preference", ArXiv: "2405.14103", Aliases: []string{"2405.14103"},
		Family: "pair", References: fixed, Online: true, Source: fromMemory, Notes: []string{"the strength is each pair's target"},
		Equal:  []string{"cdpo with 1 − ε = target"},
		params: difference(),
	},
	{
		Name: "spin", Title: "Self-Play Fine-Tuning", ArXiv: "2401.01335", Aliases: []string{"2401.01335"},
		Family: "pair", References: previous, Online: true, Source: fromCode, Notes: []string{"chosen is the demonstration, rejected the previous policy's own answer"},
		Equal:  []string{"dpo with the previous policy as reference", "loss=hinge is hinge with it"},
		params: difference(pBeta, pLoss("ℓ", "logistic", "hinge")),
	},
	{
		Name: "sppo", Title: "Self-Play Preference Optimization", ArXiv: "2405.00675", Aliases: []string{"2405.00675", "sppo-soft"},
		Family: "separable", References: previous, Online: true, Source: fromCode,
		Notes:  []string{"P of each answer is its win rate against the policy, q:[w,l]; or target, P and 1 − P"},
		Equal:  []string{"½ × sppo-hard where q is [1,0]", "gpo-preference with score P − ½"},
		params: params{pBeta, pLDAlpha, pBase}.where("beta", 0.001), pair: Pair{Shape: "sppo", Scale: 0.5, Label: "q"},
	},
	{
		Name: "sppo-hard", Title: "Self-Play Preference Optimization with certain labels", ArXiv: "2405.00675",
		Family: "separable", References: previous, Source: fromTRL, Equal: []string{"2 × sppo where q is [1,0]"},
		params: params{pBeta, pLDAlpha, pBase}, pair: Pair{Shape: "sppo"},
	},
	{
		Name: "gpo-preference", Title: "General Preference Optimization: SPPO on scores of a general preference model", ArXiv: "2410.02197", Aliases: []string{"2410.02197", "general-preference-optimization"},
		Family: "separable", References: previous, Online: true, Source: fromMemory, Notes: []string{"q are scores s(y ≻ π_t), whose tie is 0"},
		Equal:  []string{"sppo where q − ½ is the score"},
		params: params{pBeta, pBase}.where("beta", 0.001), pair: Pair{Shape: "sppo", Scale: 0.5, Label: "scores"},
	},
	{
		Name: "inpo", Title: "Iterative Nash Policy Optimization", ArXiv: "2407.00617", Aliases: []string{"2407.00617"},
		Family: "pair", References: []string{"reference", "previous policy"}, Online: true, Source: "the code of MNPO",
		Equal:  []string{"mnpo with one opponent", "ipo(normalize=false) on the mixed base", "online mirror descent on matrix games"},
		params: params{pEta, pRatio, pLDAlpha, pBase}.where("eta", 0.0075), pair: Pair{Shape: "ipo"},
	},
	{
		Name: "mnpo", Title: "Multiplayer Nash Preference Optimization", ArXiv: "2509.23102", Aliases: []string{"2509.23102"},
		Family: "pair", References: []string{"reference", "opponent"}, Online: true, Source: fromCode,
		Notes:  []string{"one reference, then one opponent a weight; the released configuration's weights are \"1,0\""},
		Equal:  []string{"inpo where weights=1"},
		params: params{pEta, pRatio, pWeights, pLDAlpha}.where("eta", 0.0075), pair: Pair{Shape: "ipo"},
	},
	{
		Name: "online-ipo", Title: "Extragradient Preference Optimization as a loss: online IPO", ArXiv: "2503.08942", Aliases: []string{"egpo", "2503.08942"},
		Family: "pair", References: fixed, Online: true, Source: fromCode, Notes: []string{"q are the win rates of both answers against a third, P(y ≻ y″)"},
		Equal:  []string{"ipo(normalize=false) where target=1"},
		params: params{pBeta, pLDAlpha, pBase}, pair: Pair{Shape: "ipo", Label: "difference"},
	},
	{
		Name: "dno", Title: "Direct Nash Optimization", ArXiv: "2404.03715", Aliases: []string{"2404.03715"},
		Family: "pair", References: previous, Online: true, Source: fromMemory, Notes: []string{"q are both answers' win rates against the policy; P = σ(r_w − r_l)"},
		Equal:  []string{"soft-dpo with the previous policy as reference"},
		params: difference(pBeta.as("eta", "η, the weight of the log-ratio", "beta"), pTemperature), pair: Pair{Label: "q"},
	},
	{
		Name: "dno-prct", Title: "Direct Nash Optimization in practice: dpo on pairs of large margin", ArXiv: "2404.03715",
		Family: "pair", References: previous, Online: true, Source: fromMemory, Equal: []string{"dpo with the previous policy as reference"}, params: difference(),
	},
	{
		Name: "srpo-robust", Title: "Self-Improving Robust Preference Optimization", ArXiv: "2406.01660", Aliases: []string{"2406.01660", "self-improving-srpo"},
		Family: "pair", References: fixed, Source: "derived from its optimality condition",
		Notes: []string{
			"of the improver: both answers are given the rejected one as context; p − ½ = β·difference of log-ratios",
			"of the policy: margin carries what the improver says, with target=0.5",
		},
		Equal:  []string{"ipo(normalize=false)"},
		params: params{pBeta, pBase}, pair: Pair{Shape: "ipo"},
	},
	{
		Name: "rpo-regularized", Title: "Regularized Preference Optimization", ArXiv: "2405.16436", Aliases: []string{"2405.16436", "regularized-rpo"},
		Family: "terms", References: fixed, Source: fromCode, Equal: []string{"vpo(mode=offline) without a third answer"},
		params: difference(pBeta, pSFT.as("eta", "η: imitation weighs ηβ, summed over tokens", "sft", "rpo_alpha", "cpo_alpha")).where("beta", 0.01).where("eta", 0.005).whose("sft_by", "sum"), pair: Pair{TermBeta: true},
	},
	{
		Name: "rpo-reward-aware", Title: "Reward-aware Preference Optimization (NVIDIA, Nemotron-4)", ArXiv: "2502.00203", Aliases: []string{"rpo-nvidia", "nvidia-rpo", "2502.00203", "2406.11704"},
		Family: "pair", References: fixed, Source: "NeMo-Aligner's code", Notes: []string{"q are rewards of both answers"},
		Equal:  []string{"distance=bwd_kl is soft-dpo, up to a constant", "distance=fwd_kl is exo where η·(q_w − q_l) = log (1−ε)/ε"},
		params: params{pBeta, pAlpha.as("eta", "η, the scale of the rewards", "gt_reward_scale"), pDistance, pBase}.where("eta", 1),
	},
	{
		Name: "rpo-lambda-harmonic", Title: "λ-Harmonic Reward Preference Optimization", ArXiv: "2407.12164", Aliases: []string{"2407.12164", "lambda-harmonic", "lambda-harmonic-rpo"},
		Family: "pair", References: fixed, Source: fromMemory, Notes: []string{"q are λ-harmonic rewards 1/(λ/a + (1−λ)/b) of two scores; labels by Bradley-Terry"},
		Equal:  []string{"soft-dpo on those rewards"},
		params: difference(pBeta, pTemperature), pair: Pair{Label: "q"},
	},
	{
		Name: "hypo-hybrid", Title: "Hybrid Preference Optimization: offline pairs and an online KL", ArXiv: "2406.01462", Aliases: []string{"2406.01462"},
		Family: "terms", References: fixed, Online: true, Source: fromMemory,
		Notes:  []string{"the KL stands as ½u² of an own sample, whose gradient u·∇log π is that of the KL"},
		params: difference(pBeta, pThird.as("lambda", "λ, the weight of the KL")).where("lambda", 0.01), pair: Pair{ThirdOf: "kl"},
	},
	{
		Name: "selm", Title: "Self-Exploring Language Models", ArXiv: "2405.19332", Aliases: []string{"2405.19332"},
		Family: "terms", References: fixed, Online: true, Source: fromCode, Equal: []string{"vpo(mode=online) and xpo(alpha=αβ), up to a constant"},
		params: difference(pBeta, pThird.as("alpha", "α: the third answer's log-ratio weighs αβ")).where("beta", 0.01).where("alpha", 1e-3), pair: Pair{ThirdOf: "ratio", TermBeta: true},
	},
	{
		Name: "vpo", Title: "Value-Incentivized Preference Optimization", ArXiv: "2405.19320", Aliases: []string{"2405.19320"},
		Family: "terms", References: fixed, Source: fromMemory,
		Notes:  []string{"online is optimism, +αβ·log π of the calibration sample; offline is pessimism, −αβ·log π"},
		Equal:  []string{"mode=offline without a third answer is rpo-regularized(eta=α)", "mode=online is selm, up to a constant"},
		params: difference(pBeta, pThird.as("alpha", "α: log π of the calibration sample weighs αβ"), pMode).where("alpha", 1e-3), pair: Pair{ThirdOf: "log", TermBeta: true},
	},
	{
		Name: "xpo", Title: "Exploratory Preference Optimization", ArXiv: "2405.21046", Aliases: []string{"2405.21046"},
		Family: "terms", References: fixed, Online: true, Source: "TRL 1.0's own code, recorded and equal", Notes: []string{"the third answer is the reference's, which is also one of the pair"},
		Equal:  []string{"selm(alpha=α/β), up to a constant"},
		params: difference(pBeta, pThird.as("alpha", "α: log π of the third answer")).where("alpha", 1e-5), pair: Pair{ThirdOf: "log"},
	},
	{
		Name: "apo-accelerated", Title: "Accelerated Preference Optimization: extrapolated references", ArXiv: "2410.06293", Aliases: []string{"2410.06293", "accelerated-apo", "accelerated"},
		Family: "pair", References: []string{"previous policy", "the one before"}, Online: true, Source: fromMemory,
		Notes:  []string{"the extrapolated policy π_{t+1} ∝ π̂_{t+1}·(π̂_{t+1}/π̂_t)^α as reference; its normaliser cancels in a difference, not in sppo"},
		Equal:  []string{"dpo where extrapolate=0"},
		params: difference(pBeta, pExtrapolate, pLoss("the shape", "sigmoid", "ipo", "sppo")),
	},
	{
		Name: "spo-minimax", Title: "Self-Play Preference Optimization, minimaximalist: win shares as rewards", ArXiv: "2401.04056", Aliases: []string{"2401.04056", "minimaximalist", "minimaximalist-spo"},
		Family: "separable", Online: true, Source: fromMemory, Notes: []string{"REINFORCE: −Σ (share − ½)·log π, q being the shares of wins against a queue of own answers"},
		pair: Pair{Shape: "linear", Label: "q", Free: true},
	},
	{
		Name: "spo-self-supervised", Title: "Self-supervised Preference Optimization", ArXiv: "2409.17791", Aliases: []string{"2409.17791", "self-supervised-po", "self-supervised-spo"},
		Family: "terms", References: fixed, Source: fromMemory,
		Notes:  []string{"the alignment loss; γ times the cross-entropy of the degree of corruption, which has no log-probability in it, stands beside it"},
		Equal:  []string{"dpo where γ = 0"},
		params: difference(),
	},
	{
		Name: "tpo-triple", Title: "Triple Preference Optimization", ArXiv: "2405.16681", Aliases: []string{"2405.16681"},
		Family: "terms", Source: fromTRL, Equal: []string{"cpo, imitating a third answer instead of the chosen one"},
		params: params{pBeta, pThird, pSmoothing, pLoss("the preference's shape", "sigmoid", "hinge")}.where("beta", 0.01), pair: Pair{Free: true, ThirdOf: "nll"},
	},
	{
		Name: "tpo-l", Title: "Triple Preference Optimization, length-normalised", ArXiv: "2405.16681",
		Family: "terms", Source: fromTRL, Equal: []string{"simpo and imitation of a third answer"},
		params: params{pBeta, pGamma, pThird, pSmoothing}.where("beta", 0.01).where("gamma", 0.5), pair: Pair{Free: true, PerToken: true, ThirdOf: "nll"},
	},
	{
		Name: "plackett-luce", Title: "DPO on rankings by Plackett-Luce", ArXiv: "2305.18290", Aliases: []string{"pl"},
		Family: "list", References: fixed, Source: fromPaper, Equal: []string{"dpo on lists of two"}, params: params{pListBeta}, list: List{Shape: "plackett-luce"},
	},
	{
		Name: "tpo-tree", Title: "Tree Preference Optimization: LambdaLoss over siblings", ArXiv: "2410.12854", Aliases: []string{"2410.12854", "tree-preference-optimization"},
		Family: "list", References: fixed, Source: fromPaper, Notes: []string{"the released code climbs this loss instead of descending it, and has no λ"},
		params: params{pListBeta}.where("beta", 0.5), list: List{Shape: "lambda"},
	},
	{
		Name: "sppo-list", Title: "Self-Play Preference Optimization on K samples", ArXiv: "2405.00675",
		Family: "list", References: previous, Online: true, Source: fromCode, Notes: []string{"scores are win rates against the policy"},
		Equal:  []string{"sppo on lists of two"},
		params: params{pListBeta}.where("beta", 0.001), list: List{Shape: "sppo"},
	},
	{
		Name: "infonca", Title: "InfoNCA: softmax over scored answers", ArXiv: "2402.05369",
		Family: "list", References: fixed, Source: fromMemory, Equal: []string{"dpo on lists of two whose scores lie far apart", "soft-dpo on lists of two"},
		params: params{pListBeta, pListTemperature}, list: List{Shape: "infonca"},
	},
	{
		Name: "nca-list", Title: "Noise Contrastive Alignment of scored answers", ArXiv: "2402.05369",
		Family: "list", References: fixed, Source: fromMemory, Equal: []string{"nca on lists of two whose scores lie far apart"},
		params: params{pListBeta, pListTemperature}, list: List{Shape: "nca"},
	},
}

// clashes are acronyms that name several methods, with a line that tells them.
var clashes = map[string]string{
	"apo":  "apo-accelerated (2410.06293), apo-zero and apo-down (anchored, 2408.06266)",
	"spo":  "spo-minimax (2401.04056), spo-self-supervised (2409.17791); soft preference optimization (2405.00747) is not here",
	"rpo":  "rpo-regularized (2405.16436), rpo-reward-aware (NVIDIA's, 2502.00203), rpo-lambda-harmonic (2407.12164), irpo (iterative, 2404.19733: what TRL called rpo_alpha)",
	"tpo":  "tpo-tree (2410.12854), tpo-triple and tpo-l (TRL's, 2405.16681)",
	"gpo":  "gpo-preference (2410.02197), gpo-generalized (2402.05749)",
	"hypo": "hypo-hybrid (2406.01462); another HyPO, 2602.11902, is not here",
	"srpo": "srpo-robust (self-improving, 2406.01660); others of this name, such as 2506.01713, are not here",
	"upo":  "uncertainty-enhanced preference optimization (2409.11212), a strategy for data, and unified preference optimization (2405.17956): neither is a loss here",
	// One paper, several objectives.
	"2408.06266": "apo-zero, apo-zero-unpaired, apo-down",
	"2405.16681": "tpo-triple, tpo-l",
}
