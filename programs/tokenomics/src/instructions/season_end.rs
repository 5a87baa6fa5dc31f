use {
    crate::{constants::*, errors::TokenomicsError as E, state::Season},
    anchor_lang::prelude::*,
    anchor_spl::token::{self, TokenAccount},
    ionet_common::{
        ata::is_associated,
        token::{close, transfer},
    },
};

/// What ending a season touches, by veto or by time.
#[derive(Accounts)]
pub struct SeasonEnd {
    #[account(mut)]
    pub season: Account<Season>,
    #[account(mut, address = season.vault @ E::WrongAccount)]
    pub season_vault: Account<TokenAccount>,
    /// Funded the season; gets the vault's rent.
    // The guardian who vetoes may be the same wallet. No other account here can: they are this
    // program's and the token program's.
    #[account(mut, unsafe(dup), address = season.funder @ E::WrongAccount)]
    pub funder: UncheckedAccount,
    /// The funder's associated token account.
    #[account(mut, token::authority = funder)]
    pub funder_tokens: Account<TokenAccount>,
    pub token_program: Program<Token>,
}

impl SeasonEnd {
    /// Empties the vault to the funder and closes it. Tokens that strangers sent to the vault go
    /// along: a vault that isn't empty can't be closed.
    pub fn pay_back(&mut self) -> Result<()> {
        require!(
            is_associated(self.funder_tokens.address(), self.funder.address(), &self.season.mint),
            E::NotAssociatedAccount
        );
        let (season, bump) = (self.season.season.to_le_bytes(), [self.season.bump]);
        let seeds: [&[u8]; 3] = [SEASON_SEED, &season, &bump];
        let rest = self.season_vault.amount();
        transfer(
            self.token_program.address(),
            self.season_vault.cpi_handle_mut(),
            self.funder_tokens.cpi_handle_mut(),
            self.season.cpi_handle(),
            rest,
            &[&seeds],
        );
        close(
            self.token_program.address(),
            self.season_vault.cpi_handle_mut(),
            self.funder.cpi_handle_mut(),
            self.season.cpi_handle(),
            &[&seeds],
        );
        Ok(())
    }
}
