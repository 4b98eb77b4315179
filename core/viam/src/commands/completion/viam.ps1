# PowerShell completion of viam: the program itself says what can follow.
Register-ArgumentCompleter -Native -CommandName viam -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { "$_" })
    if ($wordToComplete -eq '') { $words += '' }
    viam __complete -- @words 2>$null | ForEach-Object {
        $value, $rest = $_ -split "`t", 2
        if (-not $rest) { $rest = $value }
        [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $rest)
    }
}
